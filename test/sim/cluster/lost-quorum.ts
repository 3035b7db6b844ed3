/**
 * A majority of the controllers loses its disks, and an operator goes on with the one that is left, as
 * `highwater cluster recover` does: its log alone, then the others added again with empty disks. What the
 * lost majority knew beyond that log is forgotten, and is announced to be. Records are on the brokers,
 * which have lost nothing: once all of them have answered, none may be missing.
 */
import { logTables } from '../../../broker/log/log-store.ts';
import { openClient } from '../../../client/client.ts';
import { goOnAlone, surveyController } from '../../../controller/lost-quorum.ts';
import { quorumTables } from '../../../controller/raft/store-rows.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { Violation } from '../world.ts';
import type { SimCluster } from './sim-cluster.ts';
import type { SimNode } from './sim-node.ts';

/** What faults have begun has ended by then. */
const restMs = 5_000;
/** How long nobody controls the cluster. */
const lostMs = 1_500;
const recoverMs = 30_000;

/** Loses the quorum, recovers it and brings it back to its size. */
export async function loseAndRecoverQuorum(cluster: SimCluster): Promise<void> {
  const { world, nodes } = cluster;
  await world.time.advance(restMs);
  const controllers = nodes.filter(({ isVoter }) => isVoter);
  const [survivor, ...lost] = drawn(controllers, world.random.fork('lost quorum').below(3));
  if (survivor === undefined) return;
  const known = survivor.running?.controller?.image.topics.size ?? 0;
  // An operator goes on with the log that has most; without its topics nothing could be compared.
  if (known < cluster.image.topics.size) return;
  world.note(`quorum lost but for ${survivor.id}`);
  for (const node of lost) node.loseDisk();
  survivor.kill();
  await world.time.advance(lostMs);
  await world.time.complete(goOnWith(cluster, survivor), recoverMs);
  world.reach('quorum recovered');
  for (const node of [survivor, ...lost]) node.start();
  await world.time.complete(addAgain(cluster, lost), recoverMs);
}

function drawn(nodes: readonly SimNode[], first: number): readonly SimNode[] {
  return [...nodes.slice(first), ...nodes.slice(0, first)];
}

async function goOnWith({ world }: SimCluster, { storage, id }: SimNode): Promise<void> {
  const store = await storage.mount(world.time.clock).open('/data/meta', {
    durability: 'synced',
    tables: [...logTables, ...quorumTables],
  });
  const self = surveyController(store).voters.find(({ nodeId }) => nodeId === id);
  if (self === undefined) throw new Violation('recovery', `node ${id} was no voter`);
  await goOnAlone(store, self);
  await store.close();
}

async function addAgain(cluster: SimCluster, lost: readonly SimNode[]): Promise<void> {
  const { world } = cluster;
  const client = await openClient(cluster.clientMachine('recovery'), {
    brokers: cluster.addresses,
    connectTimeoutMs: recoverMs,
  });
  // Until the survivor is heard, the brokers' metadata name the voters of before.
  while (cluster.image.voters.length > 1) await world.sleep(50);
  for (const { id, host } of lost) {
    while (!cluster.image.voters.some(({ nodeId, isLearner }) => nodeId === id && !isLearner)) {
      try {
        await client.admin.addVoter(id, { address: `${host}:9093`, timeoutMs: 5_000 });
        world.reach('voter added after recovery');
      } catch (caught) {
        const { code, message } = HighwaterError.from(caught);
        world.note(`voter ${id} refused, ${code} ${message}`);
        await world.sleep(200);
      }
    }
  }
  await client.close();
}
