/** An endpoint of the peer link as a node makes it, without the node. */
import { createLinkEndpoint } from '../../proto/link/link-endpoint.ts';
import { createTcpNetwork } from '../../proto/link/node/tcp-network.ts';
import { clusterId, incarnationId, nodeId, storageId } from '../../proto/model/ids.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { LinkEndpoint } from '../../proto/ports/link.ts';
import { silentLogger } from '../../proto/ports/logger.ts';

const clock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(timer) };
  },
  soon: (callback) => {
    setImmediate(callback);
  },
};

export function createBenchEndpoint(node: number): LinkEndpoint {
  const id = `b0000000-0000-4000-8000-00000000000${node}`;
  return createLinkEndpoint({
    identity: {
      clusterId: clusterId('b0000000-0000-4000-8000-000000000000'),
      nodeId: nodeId(node),
      storageId: storageId(id),
      incarnationId: incarnationId(id),
      featureMin: 1,
      featureMax: 1,
    },
    network: createTcpNetwork({ clock, logger: silentLogger }),
    clock,
    random: { below: (bound) => Math.floor(Math.random() * bound), uuid: () => id },
    logger: silentLogger,
  });
}
