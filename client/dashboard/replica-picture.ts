/** The picture of one partition at full size, with a name and a distance beside each bar. */
import type { PartitionView } from './core/cluster-state.ts';
import { replicaStanding, replicaWords, standingOf } from './core/partition-health.ts';
import { count } from './core/words.ts';
import { fill, make } from './element.ts';
import { GapPicture, isHeardOf } from './gap-picture.ts';
import type { PageState } from './page-state.ts';

export class ReplicaPicture {
  readonly element: HTMLElement;
  readonly #state: PageState;
  readonly #picture: GapPicture;
  readonly #names = make('div', { class: 'gap-names' });
  readonly #scale = make('div', { class: 'gap-scale', 'aria-hidden': 'true' });

  constructor(state: PageState) {
    this.#state = state;
    this.#picture = new GapPicture(state);
    this.#picture.element.classList.add('gap-large');
    this.element = make(
      'div',
      {},
      make('div', { class: 'gap-box' }, this.#names, this.#picture.element),
      this.#scale,
    );
  }

  update(view: PartitionView): void {
    this.#picture.update(view);
    const { from, to } = this.#picture.scale;
    fill(this.#scale, make('span', {}, count(from)), make('span', {}, `offset ${count(to)}`));
    const end = standingOf(view)?.logEnd ?? 0;
    fill(this.#names, ...view.row.replicas.map((node) => this.#name(view, node, end)));
  }

  #name(view: PartitionView, node: number, end: number): HTMLElement {
    const behind = Math.max(0, end - (view.replicas.get(node)?.storedEnd ?? 0));
    const standing = replicaWords[replicaStanding(view, node)];
    const isHeard = isHeardOf(this.#state, node);
    return make(
      'div',
      { class: 'gap-name', 'data-replica': node },
      make('b', {}, `Node ${node}`),
      make('span', { class: 'quiet' }, isHeard ? standing : `${standing}, silent`),
      make(
        'span',
        { class: 'quiet' },
        isHeard ? progressWords(behind) : 'what it has is not known',
      ),
    );
  }
}

function progressWords(behind: number): string {
  return behind === 0 ? 'has stored everything' : `${count(behind)} behind`;
}
