/** An endpoint of the peer link as a node makes it, without the node. */
import { createLinkEndpoint } from '../../proto/link/link-endpoint.ts';
import { createTcpNetwork } from '../../proto/link/node/tcp-network.ts';
import { clusterId, incarnationId, nodeId, storageId } from '../../proto/model/ids.ts';
import type { LinkEndpoint } from '../../proto/ports/link.ts';
import { silentLogger } from '../../proto/ports/logger.ts';
import { nodeClock } from '../../proto/ports/node/node-clock.ts';
import { nodeRandom } from '../../proto/ports/node/node-random.ts';

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
    network: createTcpNetwork({ clock: nodeClock, logger: silentLogger }),
    clock: nodeClock,
    random: nodeRandom,
    logger: silentLogger,
  });
}
