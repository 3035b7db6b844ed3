import { expect, it } from 'vitest';
import { ClusterWatch } from '../../controller/cluster-watch.ts';
import { DecisionQueue } from '../../controller/decision-queue.ts';
import { MetadataMachine } from '../../controller/metadata-machine.ts';
import { encodeRecords, record } from '../../proto/metadata/records.ts';
import { nodeId } from '../../proto/model/ids.ts';
import { brokerEpoch, logIndex, revision, term } from '../../proto/model/offset.ts';
import { silentLogger } from '../../proto/ports/logger.ts';
import { VirtualTime } from '../../proto/ports/memory/virtual-time.ts';
import { registered, theCluster } from '../proto/metadata/metadata-builders.ts';

/** The watch of an active controller that commits at once, over one broker. */
function watched(sessionMs: number) {
  const time = new VirtualTime();
  const machine = new MetadataMachine(silentLogger);
  const commit = (data: Uint8Array): number => {
    const index = machine.image.revision + 1;
    machine.apply([{ index: logIndex(index), term: term(1), body: { kind: 'command', data } }]);
    return index;
  };
  commit(
    encodeRecords([
      record('clusterFormed', { clusterId: theCluster, voters: [], featureLevel: 1 }),
      registered(1),
    ]),
  );
  const epoch = brokerEpoch(revision(1));
  commit(encodeRecords([record('brokerUnfenced', { nodeId: nodeId(1), brokerEpoch: epoch })]));
  const ground = {
    get image() {
      return machine.image;
    },
    isActive: true,
    propose: (data: Uint8Array) => Promise.resolve(commit(data)),
    onCommitted: () => undefined,
  };
  const watch = new ClusterWatch({
    machine,
    queue: new DecisionQueue(ground),
    isActive: () => true,
    clock: time.clock,
    logger: silentLogger,
    sessionMs,
    roundRules: undefined,
    probe: () => Promise.resolve('unknown'),
  });
  watch.start();
  return {
    time,
    hear: () => watch.heard(nodeId(1), epoch),
    isFenced: () => machine.image.brokers.get(nodeId(1))?.state === 'fenced',
  };
}

it('a session ends no earlier than its time after the word that it counts from', async () => {
  for (const sessionMs of [200, 205, 210, 230, 500]) {
    for (const heardMs of [51, 75, 99]) {
      const { time, hear, isFenced } = watched(sessionMs);
      time.clock.after(heardMs, hear);
      await time.advance(heardMs + sessionMs);
      expect(isFenced(), `${sessionMs} ms, heard at ${heardMs}`).toBe(false);
      await time.advance(0.05 * sessionMs + 101);
      expect(isFenced(), `${sessionMs} ms, silent since ${heardMs}`).toBe(true);
    }
  }
});
