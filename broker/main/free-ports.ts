/** Ports for a cluster on this machine: the usual ones where they are wanted and free, else any. */

import { silentLogger } from '../../proto/ports/logger.ts';
import { createHttpServer } from '../http/http-server.ts';

/** So many ports that were free a moment ago, all different: from `first` on if those are free. */
export async function freePorts(count: number, first?: number): Promise<number[]> {
  const usual = first === undefined ? [] : await freeFrom(first, count);
  if (usual.length === count) return usual;
  const held = await Promise.all(Array.from({ length: count }, () => hold(0)));
  await Promise.all(held.map((one) => one.release()));
  return held.map((one) => one.port);
}

/** Those of the usual ports that are free. */
async function freeFrom(first: number, count: number): Promise<number[]> {
  const wanted = Array.from({ length: count }, (_, index) => first + index);
  const held = await Promise.allSettled(wanted.map((port) => hold(port)));
  const free = held.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  await Promise.all(free.map((one) => one.release()));
  return free.map((one) => one.port);
}

/** Takes a port for a moment. */
async function hold(port: number): Promise<{ readonly port: number; release(): Promise<void> }> {
  const server = createHttpServer(silentLogger);
  const bound = await server.listen('127.0.0.1', port);
  return { port: bound, release: () => server.close() };
}
