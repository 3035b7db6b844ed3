/**
 * The picture that the whole is named after: a bar for each replica, drawn to the same scale. Below the
 * watermark a bar is calm, above it is marked: stored there but not yet safe everywhere; hatched where
 * the replica has it in memory only. The watermark is one line through all bars.
 */

import type { PartitionView, ReplicaProgress } from './core/cluster-state.ts';
import { type GapScale, gapScale, placeOn } from './core/gap-scale.ts';
import { gapOf, replicaStanding, replicaWords, standingOf } from './core/partition-health.ts';
import { count, plural } from './core/words.ts';
import { make, setAttribute } from './element.ts';
import type { PageState } from './page-state.ts';

interface Lane {
  readonly element: HTMLElement;
  readonly safe: HTMLElement;
  readonly stored: HTMLElement;
  readonly appended: HTMLElement;
}

export class GapPicture {
  readonly element = make('div', { class: 'gap', role: 'img' });
  readonly #lanes = new Map<number, Lane>();
  readonly #line = make('div', { class: 'gap-line' });
  readonly #state: PageState;
  #scale: GapScale = { from: 0, to: 1 };

  constructor(state: PageState) {
    this.#state = state;
    this.element.append(this.#line);
  }

  get scale(): GapScale {
    return this.#scale;
  }

  update(view: PartitionView): void {
    this.#scale = gapScale(view, this.#state.scales.get(view.key));
    this.#state.scales.set(view.key, this.#scale.to - this.#scale.from);
    const watermark = standingOf(view)?.watermark ?? 0;
    this.#keepLanes(view.row.replicas);
    for (const node of view.row.replicas) this.#draw(view, node, watermark);
    this.#line.style.left = percent(placeOn(this.#scale, watermark));
    setAttribute(this.element, 'aria-label', spoken(view));
  }

  #keepLanes(nodes: readonly number[]): void {
    for (const [node, lane] of this.#lanes) {
      if (nodes.includes(node)) continue;
      lane.element.remove();
      this.#lanes.delete(node);
    }
    for (const node of nodes) {
      if (this.#lanes.has(node)) continue;
      const lane = createLane();
      this.#lanes.set(node, lane);
      this.element.insertBefore(lane.element, this.#line);
    }
  }

  #draw(view: PartitionView, node: number, watermark: number): void {
    const lane = this.#lanes.get(node);
    if (lane === undefined) return;
    const replica = view.replicas.get(node);
    const isHeard = isHeardOf(this.#state, node);
    setAttribute(
      lane.element,
      'class',
      `lane lane-${replicaStanding(view, node)}${isHeard ? '' : ' lane-silent'}`,
    );
    drawBars(lane, replica, watermark, this.#scale);
  }
}

/** Whether the figures of a node are of now. */
export function isHeardOf(state: PageState, node: number): boolean {
  const row = state.cluster.nodes.find((one) => one.id === node);
  return row?.heardMs !== undefined && row.heardMs !== null && row.heardMs < 1_500;
}

function createLane(): Lane {
  const safe = make('i', { class: 'bar-safe' });
  const stored = make('i', { class: 'bar-stored' });
  const appended = make('i', { class: 'bar-appended' });
  const element = make('div', { class: 'lane' }, safe, stored, appended);
  return { element, safe, stored, appended };
}

function drawBars(
  { safe, stored, appended }: Lane,
  replica: ReplicaProgress | undefined,
  watermark: number,
  scale: GapScale,
): void {
  const storedEnd = replica?.storedEnd ?? 0;
  const logEnd = replica?.logEnd ?? 0;
  const start = placeOn(scale, replica?.logStart ?? 0);
  const safeTo = placeOn(scale, Math.min(storedEnd, watermark));
  const storedTo = placeOn(scale, storedEnd);
  place(safe, start, safeTo);
  place(stored, Math.max(start, safeTo), storedTo);
  place(appended, Math.max(start, storedTo), placeOn(scale, logEnd));
}

function place(bar: HTMLElement, from: number, to: number): void {
  const width = Math.max(0, to - from);
  bar.style.left = percent(from);
  bar.style.width = percent(width);
}

function percent(part: number): string {
  return `${(part * 100).toFixed(2)}%`;
}

/** The same in words. */
function spoken(view: PartitionView): string {
  const standing = standingOf(view);
  if (standing === undefined) return 'not heard yet';
  const replicas = view.row.replicas.map((node) => {
    const replica = view.replicas.get(node);
    const behind = replica === undefined ? 0 : standing.logEnd - replica.storedEnd;
    const words = replicaWords[replicaStanding(view, node)];
    return `node ${node} ${words}${behind > 0 ? `, ${plural(behind, 'record')} behind` : ''}`;
  });
  return [
    `log end ${count(standing.logEnd)}, watermark ${count(standing.watermark)}`,
    `${plural(gapOf(view), 'record')} between them`,
    ...replicas,
  ].join('; ');
}
