/** What an attack on a running node is, and how bytes are thrown at a port. */
import { connect } from 'node:net';
import type { ClusterId } from '../../../proto/model/ids.ts';
import type { FuzzRandom } from '../random.ts';

/** Where the node listens, and what a well-informed stranger knows of it. */
export interface Battlefield {
  readonly grpcPort: number;
  readonly peerPort: number;
  readonly httpPort: number;
  readonly clusterId: ClusterId;
  readonly nodeId: number;
}

/** One attack, with as many connections as it likes; they are gone when it resolves. */
export type Attack = (field: Battlefield, random: FuzzRandom) => Promise<void>;

/** Longer than anything is answered in; shorter than the deadlines that end idle connections. */
const patienceMs = 300;

/** Sends the pieces on a connection of their own; resolves when that is closed, by whichever side. */
export function throwAt(port: number, pieces: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      for (const piece of pieces) socket.write(piece);
    });
    const timer = setTimeout(() => socket.destroy(), patienceMs);
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.resume();
  });
}

/** One of them, drawn. */
export function oneOf<Item>(random: FuzzRandom, items: readonly Item[]): Item {
  const item = items[random.below(items.length)];
  if (item === undefined) throw new Error('nothing to draw from');
  return item;
}

export function randomBytes(random: FuzzRandom, countMax: number): Buffer {
  return Buffer.from(Array.from({ length: random.below(countMax) }, () => random.below(256)));
}

/** So many of them, each made anew. */
export function several<Item>(count: number, make: () => Item): Item[] {
  return Array.from({ length: count }, make);
}
