/** One line of the partition table; it is given another partition when the table scrolls. */
import type { PartitionView } from './core/cluster-state.ts';
import {
  gapOf,
  healthOf,
  healthWords,
  type ReplicaStanding,
  replicaStanding,
  replicaWords,
  standingOf,
} from './core/partition-health.ts';
import { count } from './core/words.ts';
import { fill, make, setAttribute, setText } from './element.ts';
import { GapPicture } from './gap-picture.ts';
import type { PageState } from './page-state.ts';

/** A sign beside the colour, for who does not see colours. */
const marks: Readonly<Record<ReplicaStanding, string>> = {
  leader: '★',
  'in-sync': '',
  eligible: '~',
  out: '×',
};

export class PartitionLine {
  readonly element: HTMLAnchorElement;
  readonly #name = make('span', { class: 'cell-name', role: 'rowheader' });
  readonly #leader = make('span', { class: 'cell-leader', role: 'cell' });
  readonly #chips = make('span', { class: 'cell-chips', role: 'cell' });
  readonly #picture: GapPicture;
  readonly #end = make('span', { class: 'cell-number', role: 'cell' });
  readonly #watermark = make('span', { class: 'cell-number', role: 'cell' });
  readonly #gap = make('span', { class: 'cell-number cell-gap', role: 'cell' });
  #chipsOf = '';

  constructor(state: PageState) {
    this.#picture = new GapPicture(state);
    this.element = make('a', { class: 'row', role: 'row' });
    this.element.append(
      this.#name,
      this.#leader,
      this.#chips,
      make('span', { class: 'cell-picture', role: 'cell' }, this.#picture.element),
      this.#end,
      this.#watermark,
      this.#gap,
    );
  }

  show(view: PartitionView, index: number): void {
    const { row, topic } = view;
    const health = healthOf(view);
    const name = `${topic.name}/${row.partition}`;
    setText(this.#name, name);
    setAttribute(this.#name, 'title', name);
    setAttribute(
      this.element,
      'href',
      `#/partition/${encodeURIComponent(topic.name)}/${row.partition}`,
    );
    setAttribute(this.element, 'class', `row row-${health}`);
    setAttribute(this.element, 'data-partition', name);
    setAttribute(this.element, 'aria-rowindex', String(index + 2));
    setText(
      this.#leader,
      row.leader === null
        ? `none · epoch ${row.leaderEpoch}`
        : `${row.leader} · epoch ${row.leaderEpoch}`,
    );
    this.#showChips(view, healthWords[health]);
    this.#picture.update(view);
    const standing = standingOf(view);
    setText(this.#end, standing === undefined ? '–' : count(standing.logEnd));
    setText(this.#watermark, standing === undefined ? '–' : count(standing.watermark));
    const gap = gapOf(view);
    setText(this.#gap, standing === undefined ? '–' : count(gap));
    setAttribute(this.#gap, 'data-open', gap > 0 ? '' : undefined);
  }

  #showChips(view: PartitionView, health: string): void {
    const standings = view.row.replicas.map((node) => [node, replicaStanding(view, node)] as const);
    const key = standings.join();
    setAttribute(
      this.#chips,
      'aria-label',
      `${health}: ${standings.map(([node, how]) => `node ${node} ${replicaWords[how]}`).join(', ')}`,
    );
    if (key === this.#chipsOf) return;
    this.#chipsOf = key;
    fill(
      this.#chips,
      ...standings.map(([node, how]) =>
        make(
          'b',
          { class: `chip chip-${how}`, title: `node ${node} ${replicaWords[how]}` },
          `${marks[how]}${node}`,
        ),
      ),
    );
  }
}
