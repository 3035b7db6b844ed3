/**
 * Goal: whoever the active controller is and however it goes, each acknowledged change of the metadata
 * is applied once.
 * Method: writers change metadata all the time while the active controller is killed or hands over;
 * afterwards the logs of all controllers are read from their disks. `bench -- controller-failover`
 * does the same 50 times, and measures.
 */
import { expect, test } from 'vitest';
import { connect } from '../../client/index.ts';
import { type ControllerScene, killTrial, transferTrial } from '../support/controller-trials.ts';
import { MetadataWriter } from '../support/metadata-writer.ts';
import { ProcessCluster } from '../support/process-cluster.ts';
import { auditMetadata, readQuorumLog } from '../support/quorum-audit.ts';

const kills = 12;
const transfers = 6;

test('no acknowledged change is lost, and none is applied twice', async () => {
  const cluster = await ProcessCluster.start({ nodes: 2, controllers: 3 });
  try {
    const client = await connect({ brokers: cluster.brokers });
    const writers = [0, 1, 2].map((index) => new MetadataWriter(client, `writer-${index}`));
    const scene: ControllerScene = { cluster, client, writers, progress: () => undefined };
    for (let round = 0; round < kills; round++) await killTrial(scene);
    for (let round = 0; round < transfers; round++) await transferTrial(scene);
    await Promise.all(writers.map((writer) => writer.stop()));
    await client.close();
    await Promise.all(cluster.nodes.map((node) => node.kill('SIGKILL')));
    const logs = await Promise.all(cluster.nodes.slice(2).map(({ data }) => readQuorumLog(data)));
    const histories = writers.map(({ history }) => history);
    const { acknowledged, ...faults } = auditMetadata(histories, logs);
    expect(faults).toEqual({ lost: 0, doubled: 0, disordered: 0, forked: 0 });
    expect(histories.flatMap(({ failures }) => [...failures])).toEqual([]);
    // 35 changes of each writer come with each trial.
    expect(acknowledged).toBeGreaterThan((kills + transfers) * writers.length * 35);
  } finally {
    await cluster.stop();
  }
});
