/**
 * All partitions, however many: only the lines in sight exist, and they are filled anew as one scrolls.
 * Lines have one height, which the style sheet decides.
 */
import type { PartitionView } from './core/cluster-state.ts';
import { healthOf, healths } from './core/partition-health.ts';
import { plural } from './core/words.ts';
import { make, setAttribute, setText } from './element.ts';
import type { PageState } from './page-state.ts';
import { PartitionLine } from './partition-row.ts';

const spareLines = 4;

export class PartitionTable {
  readonly element: HTMLElement;
  readonly #state: PageState;
  readonly #body = make('div', { class: 'rows', role: 'rowgroup' });
  readonly #scroller: HTMLElement;
  readonly #found = make('span', { class: 'quiet', role: 'status' });
  readonly #filter = make('input', {
    type: 'search',
    placeholder: 'Topic or topic/partition',
    'aria-label': 'Filter partitions by name',
    id: 'filter',
  });
  readonly #troubled = make('input', { type: 'checkbox', id: 'troubled' });
  readonly #lines: PartitionLine[] = [];
  #shown: readonly PartitionView[] = [];

  constructor(state: PageState) {
    this.#state = state;
    const table = make(
      'div',
      { role: 'table', 'aria-label': 'Partitions', class: 'table' },
      head(),
      this.#body,
    );
    this.#scroller = make('div', { class: 'scroller' }, table);
    this.#scroller.addEventListener('scroll', () => this.#draw(), { passive: true });
    this.#body.addEventListener('keydown', (event) => this.#onKey(event));
    this.#filter.addEventListener('input', () => this.update());
    this.#troubled.addEventListener('change', () => this.update());
    this.element = make(
      'section',
      { class: 'panel', 'aria-labelledby': 'partitions-title' },
      make(
        'div',
        { class: 'panel-head' },
        make('h2', { id: 'partitions-title' }, 'Partitions'),
        this.#found,
        this.#filter,
        make('label', { class: 'check' }, this.#troubled, ' not in sync only'),
      ),
      legend(),
      this.#scroller,
    );
  }

  update(): void {
    const { ordered } = this.#state.cluster;
    const name = this.#filter.value.trim();
    const onlyTroubled = this.#troubled.checked;
    this.#shown =
      name === '' && !onlyTroubled
        ? ordered
        : ordered.filter(
            (view) =>
              `${view.topic.name}/${view.row.partition}`.includes(name) &&
              (!onlyTroubled || healthOf(view) !== 'in-sync'),
          );
    if (onlyTroubled) this.#shown = this.#shown.toSorted(worstFirst);
    setText(
      this.#found,
      this.#shown.length === ordered.length
        ? plural(ordered.length, 'partition')
        : `${this.#shown.length} of ${plural(ordered.length, 'partition')}`,
    );
    this.#draw();
  }

  #draw(): void {
    const height = lineHeight(this.#body);
    const inSight = Math.ceil(this.#scroller.clientHeight / height) + 2 * spareLines;
    const first = Math.max(
      0,
      Math.min(
        Math.floor(this.#scroller.scrollTop / height) - spareLines,
        this.#shown.length - inSight,
      ),
    );
    const last = Math.min(this.#shown.length, first + inSight);
    this.#body.style.height = `${this.#shown.length * height}px`;
    setAttribute(
      this.#body.parentElement ?? this.#body,
      'aria-rowcount',
      String(this.#shown.length + 1),
    );
    while (this.#lines.length < last - first) {
      const line = new PartitionLine(this.#state);
      this.#lines.push(line);
      this.#body.append(line.element);
    }
    for (const line of this.#lines.splice(last - first)) line.element.remove();
    this.#lines.forEach((line, at) => {
      const view = this.#shown[first + at];
      if (view === undefined) return;
      line.element.style.top = `${(first + at) * height}px`;
      line.show(view, first + at);
    });
  }

  /** Up and down move from line to line. */
  #onKey(event: Event): void {
    if (!(event instanceof KeyboardEvent)) return;
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const at = this.#lines.findIndex((line) => line.element === document.activeElement);
    if (by === 0 || at < 0) return;
    event.preventDefault();
    const name = this.#lines[at]?.element.dataset['partition'];
    const index = this.#shown.findIndex((one) => `${one.topic.name}/${one.row.partition}` === name);
    const next = this.#shown[index + by];
    if (next === undefined) return;
    const height = lineHeight(this.#body);
    const top = (index + by) * height;
    if (top < this.#scroller.scrollTop) this.#scroller.scrollTop = top;
    const below = top + 2 * height - this.#scroller.clientHeight;
    if (below > this.#scroller.scrollTop) this.#scroller.scrollTop = below;
    this.#draw();
    const wanted = `${next.topic.name}/${next.row.partition}`;
    this.#lines.find((line) => line.element.dataset['partition'] === wanted)?.element.focus();
  }
}

function lineHeight(body: HTMLElement): number {
  return Number.parseFloat(getComputedStyle(body).getPropertyValue('--line')) || 48;
}

function worstFirst(a: PartitionView, b: PartitionView): number {
  return healths.indexOf(healthOf(a)) - healths.indexOf(healthOf(b));
}

function head(): HTMLElement {
  const titles = [
    'Partition',
    'Leader',
    'Replicas',
    'Tail of the log',
    'Log end',
    'Watermark',
    'Gap',
  ];
  const classes = ['name', 'leader', 'chips', 'picture', 'number', 'number', 'number cell-gap'];
  return make(
    'div',
    { class: 'row-head', role: 'row' },
    ...titles.map((title, at) =>
      make('span', { role: 'columnheader', class: `cell-${classes[at] ?? ''}` }, title),
    ),
  );
}

/** What the bars and signs mean. */
export function legend(): HTMLElement {
  const key = (kind: string, words: string): HTMLElement =>
    make('span', { class: 'key' }, make('i', { class: `key-${kind}` }), words);
  return make(
    'p',
    { class: 'legend' },
    key('safe', 'below the watermark: readable, safe'),
    key('stored', 'stored here, not yet everywhere'),
    key('appended', 'in memory only'),
    key('line', 'watermark'),
    make('span', { class: 'key' }, '★ leads  × out of sync  ~ eligible'),
  );
}
