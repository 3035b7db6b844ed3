import { expect, it } from 'vitest';
import { GroupCoordinator } from '../../../broker/group/group-coordinator.ts';
import { emptyImage } from '../../../proto/metadata/image.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { silentLogger } from '../../../proto/ports/logger.ts';
import { VirtualTime } from '../../../proto/ports/memory/virtual-time.ts';

it('who waits in vain for the topic of the groups leaves nobody behind who watches the metadata', async () => {
  const time = new VirtualTime();
  const watching = new Set<() => void>();
  const coordinator = new GroupCoordinator({
    nodeId: nodeId(1),
    clock: time.clockFor('node'),
    logger: silentLogger,
    image: () => emptyImage,
    table: () => undefined,
    watchImage: (callback) => {
      watching.add(callback);
      return () => watching.delete(callback);
    },
    createTopic: () => Promise.resolve(),
    offsetsRetentionMs: -1,
  });
  const found = coordinator.find('billing');
  await expect(time.complete(found, 60_000)).rejects.toMatchObject({
    code: 'LEADER_NOT_AVAILABLE',
  });
  coordinator.close();
  expect(watching.size).toBe(0);
});
