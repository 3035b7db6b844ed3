/**
 * Who led and who was in sync since the page sees it, two minutes at most: a lane for each replica, thick where it led,
 * thin where it was in sync, empty where it was not. A gap in every thick line is a time without leader.
 */
import type { PartitionView } from './core/cluster-state.ts';
import type { Stretch } from './core/partition-history.ts';
import { windowMs, windowWords } from './core/time-window.ts';
import { fill, make, setAttribute } from './element.ts';
import type { PageState } from './page-state.ts';

export class StretchStrip {
  readonly element = make('div', { class: 'strip', role: 'img' });
  readonly #state: PageState;

  constructor(state: PageState) {
    this.#state = state;
  }

  update(view: PartitionView): void {
    const { history, cluster } = this.#state;
    const stretches = history.stretches.get(view.key) ?? [];
    const shownMs = windowMs(cluster.wallMs - (stretches[0]?.fromMs ?? cluster.wallMs));
    const begin = cluster.wallMs - shownMs;
    fill(
      this.element,
      ...view.row.replicas.map((node) =>
        make(
          'div',
          { class: 'strip-lane' },
          make('span', { class: 'strip-name' }, `node ${node}`),
          make(
            'div',
            { class: 'strip-track' },
            ...bands(stretches, node, { begin, end: cluster.wallMs }),
          ),
        ),
      ),
      make(
        'div',
        { class: 'strip-axis', 'aria-hidden': 'true' },
        ...windowWords(shownMs).map((word) => make('span', {}, word)),
      ),
    );
    setAttribute(this.element, 'aria-label', spoken(stretches));
  }
}

function bands(
  stretches: readonly Stretch[],
  node: number,
  { begin, end }: { readonly begin: number; readonly end: number },
): HTMLElement[] {
  const found: HTMLElement[] = [];
  stretches.forEach((stretch, at) => {
    const from = Math.max(stretch.fromMs, begin);
    const to = stretches[at + 1]?.fromMs ?? end;
    const kind = stretch.leader === node ? 'leads' : stretch.isr.includes(node) ? 'in-sync' : 'out';
    if (to <= begin) return;
    const band = make('i', { class: `band band-${kind}` });
    band.style.left = `${((from - begin) / (end - begin)) * 100}%`;
    band.style.width = `${(Math.max(0, to - from) / (end - begin)) * 100}%`;
    found.push(band);
  });
  return found;
}

function spoken(stretches: readonly Stretch[]): string {
  const leaders = stretches
    .map(({ leader }) => (leader === null ? 'nobody' : `node ${leader}`))
    .filter((name, at, all) => name !== all[at - 1]);
  return `Led in the last two minutes, in order: ${leaders.join(', ')}`;
}
