/** The state of the cluster in a row of figures: what is wrong stands out, what is well stays quiet. */
import { countHealth } from './core/partition-health.ts';
import { bytes, count, milliseconds, plural, short } from './core/words.ts';
import { make, setAttribute, setText } from './element.ts';
import type { PageState } from './page-state.ts';

interface Tile {
  readonly element: HTMLElement;
  set(value: string, note: string, tone: 'good' | 'warn' | 'bad'): void;
}

export class HealthTiles {
  readonly element = make('dl', { class: 'tiles', 'aria-label': 'The cluster in figures' });
  readonly #state: PageState;
  readonly #partitions = createTile('Partitions');
  readonly #leaderless = createTile('Without leader', 'leaderless');
  readonly #below = createTile('Below minimum', 'below-minimum');
  readonly #under = createTile('Under-replicated', 'under-replicated');
  readonly #controller = createTile('Controller');
  readonly #writes = createTile('Writes');
  readonly #latency = createTile('Ack p99');

  constructor(state: PageState) {
    this.#state = state;
    this.element.append(
      this.#partitions.element,
      this.#leaderless.element,
      this.#below.element,
      this.#under.element,
      this.#controller.element,
      this.#writes.element,
      this.#latency.element,
    );
  }

  update(): void {
    const { cluster, rates } = this.#state;
    const health = countHealth(cluster);
    this.#partitions.set(
      count(cluster.ordered.length),
      plural(cluster.topics.size, 'topic'),
      'good',
    );
    this.#leaderless.set(
      count(health.leaderless),
      health.leaderless > 0 ? 'an election is open' : 'every partition is led',
      tone(health.leaderless, 'bad'),
    );
    const below = health['below-minimum'];
    this.#below.set(
      count(below),
      below > 0 ? 'acks=all is refused' : 'acks=all is taken',
      tone(below, 'bad'),
    );
    const under = health['under-replicated'] + below;
    this.#under.set(
      count(under),
      under > 0 ? 'in-sync set not full' : 'in-sync sets are full',
      tone(under, 'warn'),
    );
    const { controller, term, isStale } = cluster;
    this.#controller.set(
      controller === null ? 'none' : `node ${controller}`,
      isStale ? 'out of touch, may be old' : `term ${term}, revision ${count(cluster.revision)}`,
      controller === null || isStale ? 'warn' : 'good',
    );
    const sample = rates.samples.at(-1);
    this.#writes.set(
      `${bytes(sample?.writtenBytesPerSecond ?? 0)}/s`,
      `${short(sample?.writtenRecordsPerSecond ?? 0)} records/s`,
      'good',
    );
    this.#latency.set(milliseconds(sample?.p99Ms), `median ${milliseconds(sample?.p50Ms)}`, 'good');
  }
}

function tone(found: number, bad: 'warn' | 'bad'): 'good' | 'warn' | 'bad' {
  return found > 0 ? bad : 'good';
}

function createTile(name: string, id?: string): Tile {
  const value = make('dd', { class: 'tile-value' });
  const note = make('dd', { class: 'tile-note' });
  const element = make(
    'div',
    { class: 'tile', 'data-tile': id },
    make('dt', {}, name),
    value,
    note,
  );
  return {
    element,
    set(text, words, how) {
      setText(value, text);
      setText(note, words);
      setAttribute(element, 'class', `tile tile-${how}`);
    },
  };
}
