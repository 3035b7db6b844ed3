/** Links over real sockets on the loopback interface. */
import { createLinkEndpoint } from '../../../proto/link/link-endpoint.ts';
import { createTcpNetwork, type LinkCredentials } from '../../../proto/link/node/tcp-network.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { nodeClock } from '../../../proto/ports/node/node-clock.ts';
import { type LinkWorld, type LogLine, recordingLogger, testIdentity } from './link-world.ts';

/** Longer than any of these tests takes, shorter than the runner's own limit. */
const patienceMs = 15_000;

export function createTcpWorld(credentials?: (node: number) => LinkCredentials): LinkWorld {
  const closing: (() => Promise<void>)[] = [];
  return {
    node: async (number, options = {}) => {
      const lines: LogLine[] = [];
      const identity = testIdentity(number, options.identity);
      const logger = recordingLogger(lines);
      const own = credentials === undefined ? {} : { credentials: credentials(number) };
      const endpoint = createLinkEndpoint({
        identity,
        network: createTcpNetwork({ clock: nodeClock, logger, ...own }),
        clock: nodeClock,
        random: new SeededRandom(number),
        logger,
        timings: options.timings ?? {},
      });
      closing.push(() => endpoint.close());
      const host = '127.0.0.1';
      const port = await endpoint.listen(host, 0);
      return { endpoint, identity, lines, address: { nodeId: identity.nodeId, host, port } };
    },
    // Port 1 of the loopback interface: nobody listens there.
    nobody: (number) => ({ nodeId: nodeId(number), host: '127.0.0.1', port: 1 }),
    until,
    settle: async () => {
      for (let turn = 0; turn < 200; turn++) await nextTurn();
    },
    close: async () => {
      await Promise.all(closing.map((close) => close()));
    },
  };
}

/** Turns the event loop until the predicate holds. */
export async function until(predicate: () => boolean): Promise<void> {
  const start = performance.now();
  while (!predicate()) {
    if (performance.now() - start > patienceMs) throw new Error('it never happened');
    await nextTurn();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
