/** Links over the simulated network, on virtual time. */
import { createLinkEndpoint } from '../../../proto/link/link-endpoint.ts';
import { MemoryNetwork } from '../../../proto/link/memory/memory-network.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import type { VirtualClock } from '../../../proto/ports/memory/virtual-clock.ts';
import { VirtualTime } from '../../../proto/ports/memory/virtual-time.ts';
import { type LinkWorld, type LogLine, recordingLogger, testIdentity } from './link-world.ts';

export interface MemoryWorld extends LinkWorld {
  readonly time: VirtualTime;
  readonly network: MemoryNetwork;
  readonly clocks: Map<number, VirtualClock>;
}

export function createMemoryWorld(seed: number | string = 1): MemoryWorld {
  const time = new VirtualTime();
  const random = new SeededRandom(seed);
  const network = new MemoryNetwork(time.clock, random.fork('network'));
  const closing: (() => Promise<void>)[] = [];
  const clocks = new Map<number, VirtualClock>();
  let incarnations = 0;
  return {
    time,
    network,
    clocks,
    node: async (number, options = {}) => {
      const lines: LogLine[] = [];
      incarnations += 1;
      const clock = time.clockFor(`node ${number}`);
      clocks.set(number, clock);
      const identity = testIdentity(number, options.identity);
      const endpoint = createLinkEndpoint({
        identity,
        network: network.of(identity.nodeId),
        clock,
        random: random.fork(`node ${number} ${incarnations}`),
        logger: recordingLogger(lines),
        timings: options.timings ?? {},
      });
      // A crashed process closes nothing.
      closing.push(() => (clock.isStopped ? Promise.resolve() : endpoint.close()));
      const host = `host-${number}`;
      const port = await endpoint.listen(host, 9093);
      return { endpoint, identity, lines, address: { nodeId: identity.nodeId, host, port } };
    },
    nobody: (number) => ({ nodeId: nodeId(number), host: `host-${number}`, port: 9 }),
    until: async (predicate) => {
      if (!(await time.runUntil(predicate, 60_000))) throw new Error('it never happened');
    },
    settle: () => time.advance(50),
    close: async () => {
      const all = Promise.all(closing.map((close) => close()));
      await time.advance(100);
      await all;
    },
  };
}
