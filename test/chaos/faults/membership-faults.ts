/** What operators do to a cluster while all else goes wrong: voters, leaderships and replicas move. */
import { until } from '../../../broker/main/fleet/cluster-view.ts';
import type { Client } from '../../../client/index.ts';
import { type FaultScene, oneOf, pause } from './fault.ts';
import { replicasEach } from './whole.ts';

const timeoutMs = 2_000;
const doneMs = 180_000;

/** A voter is taken out of the quorum and comes back with the storage it has. */
export async function changeVoters({ client, node, lastsMs }: FaultScene): Promise<void> {
  await removeVoter(client, node);
  await pause(lastsMs);
  await addVoter(client, node);
}

export async function removeVoter(client: Client, node: number): Promise<void> {
  await untilVoters(
    client,
    (voters) => !voters.includes(node),
    () => client.admin.removeVoter(node, { timeoutMs }),
  );
}

export async function addVoter(client: Client, node: number): Promise<void> {
  await untilVoters(
    client,
    (voters) => voters.includes(node),
    () => client.admin.addVoter(node, { timeoutMs }),
  );
}

/** Asks for the change until it is seen: an answer may be lost on its way. */
async function untilVoters(
  client: Client,
  isDone: (voters: readonly number[]) => boolean,
  change: () => Promise<void>,
): Promise<void> {
  let last: unknown;
  const voters = async (): Promise<number[]> => {
    const seen = await client.admin.describeCluster({ timeoutMs });
    return seen.voters.filter(({ isLearner }) => !isLearner).map(({ node }) => node);
  };
  const asked = async (): Promise<number[]> => {
    const before = await voters();
    if (isDone(before)) return before;
    await change().catch((caught: unknown) => {
      last = caught;
    });
    return voters();
  };
  await until(asked, isDone, 'the voters are those that were asked for', doneMs).catch(
    (cause: unknown) => {
      throw new Error(`${String(cause)}; the last refusal: ${String(last)}`, { cause });
    },
  );
}

/** The part of the active controller goes to another voter. */
export async function transferController({ client, node }: FaultScene): Promise<void> {
  // It may be down or out of date, and then the quorum stays as it is.
  await client.admin.transferController(node, { timeoutMs }).catch(() => undefined);
}

/** Leaderships leave a node and may come back. */
export async function drain({ client, node, lastsMs }: FaultScene): Promise<void> {
  await again(() => client.admin.drain(node, { timeoutMs }));
  await pause(lastsMs);
  await again(() => client.admin.drain(node, { undo: true, timeoutMs }));
}

/** A partition gets a node that it did not have, in an order of its own. The move goes on by itself. */
export async function reassign({ cluster, client, random }: FaultScene): Promise<void> {
  await again(async () => {
    const topics = await client.admin.listTopics({ timeoutMs });
    const { name } = oneOf(random, topics);
    const { partitions } = await client.admin.describeTopic(name, { timeoutMs });
    const { partition, replicas } = oneOf(random, partitions);
    const spare = cluster.nodes.map(({ id }) => id).filter((id) => !replicas.includes(id));
    const kept = replicas.slice(1, replicasEach);
    const target = random.below(2) === 0 ? [...spare, ...kept] : [...kept, ...spare];
    if (spare.length !== 1 || target.length !== replicasEach) return; // It is on the move already.
    await client.admin.reassign({ topic: name, partition }, target, { timeoutMs });
  });
}

async function again(change: () => Promise<unknown>): Promise<void> {
  await until(
    async () => {
      await change();
      return true;
    },
    (isDone) => isDone,
    'the change is taken',
    doneMs,
  );
}
