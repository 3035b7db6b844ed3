/**
 * Who led and who was in sync over the last two minutes: a lane for each replica, thick where it led,
 * thin where it was in sync, empty where it was not. A gap in every thick line is a time without leader.
 */
import type { PartitionView } from './core/cluster-state.ts';
import { historyMs, type Stretch } from './core/partition-history.ts';
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
    const begin = cluster.wallMs - historyMs;
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
        ...['2 min ago', '1 min', 'now'].map((word) => make('span', {}, word)),
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
