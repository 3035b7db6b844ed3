/** Ports for a development cluster: the usual ones where they are free. */

import { silentLogger } from '../../proto/ports/logger.ts';
import { createHttpServer } from '../http/http-server.ts';

/** So many free ports, from `first` on if those are free, else wherever. */
export async function freePorts(count: number, first: number): Promise<number[]> {
  const wanted = Array.from({ length: count }, (_, index) => first + index);
  const held = await Promise.allSettled(wanted.map((port) => hold(port)));
  const usual = held.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const isUsual = usual.length === count;
  const others = isUsual ? [] : await Promise.all(wanted.map(() => hold(0)));
  await Promise.all([...usual, ...others].map((one) => one.release()));
  return isUsual ? wanted : others.map((one) => one.port);
}

/** Takes a port for a moment. */
async function hold(port: number): Promise<{ readonly port: number; release(): Promise<void> }> {
  const server = createHttpServer(silentLogger);
  const bound = await server.listen('127.0.0.1', port);
  return { port: bound, release: () => server.close() };
}
