/** An election as the journal tells it: who answered what, and who won. */
import type { Client, ClusterEvent } from '../../../client/index.ts';
import { type PartitionPlace, until } from '../fleet/cluster-view.ts';

/** What one replica answered when it promised to follow no older epoch. */
export interface PromiseSeen {
  readonly node: number;
  /** The highest epoch in which it had everything that the leader of that epoch began with. */
  readonly epoch: number;
  readonly end: number;
  readonly isSuspect: boolean;
}

export interface ElectionSeen {
  readonly leader: number;
  readonly epoch: number;
  readonly answers: readonly PromiseSeen[];
  /** Who gave the greatest answer, suspects left out. */
  readonly greatest: number;
}

/** The first election of the partition in a later epoch, once the journal has it. */
export async function electionAfter(
  client: Client,
  place: PartitionPlace,
  epoch: number,
): Promise<ElectionSeen> {
  const subject = `${place.topic}/${place.partition}`;
  const found = await until(
    async () => {
      for await (const event of client.admin.events({ subject })) {
        const election = electionOf(event);
        if (election !== undefined && election.epoch > epoch) return election;
      }
      return undefined;
    },
    (election) => election !== undefined,
    `an election of ${subject} after epoch ${epoch}`,
  );
  return found ?? { leader: 0, epoch: 0, answers: [], greatest: 0 };
}

/** What an event says of an election; undefined for other events. */
export function electionOf({ kind, evidence }: ClusterEvent): ElectionSeen | undefined {
  if (kind !== 'leader-elected' && kind !== 'unclean-election') return undefined;
  const answers = answersOf(evidence['answers'] ?? '');
  const [greatest] = answers
    .filter(({ isSuspect }) => !isSuspect)
    .toSorted((a, b) => b.epoch - a.epoch || b.end - a.end);
  const leader = Number(evidence['leader'] ?? 0);
  // Equal answers are equally good; that the winner is one of the greatest is what counts.
  const own = answers.find(({ node }) => node === leader);
  const isGreatest = own?.epoch === greatest?.epoch && own?.end === greatest?.end;
  return {
    leader,
    epoch: Number(evidence['leaderEpoch'] ?? 0),
    answers,
    greatest: isGreatest ? leader : (greatest?.node ?? 0),
  };
}

/** Such as `1: epoch 4 end 100, 3: epoch 3 end 120 suspect`. */
function answersOf(text: string): PromiseSeen[] {
  return Array.from(
    text.matchAll(/(\d+): epoch (\d+) end (\d+)( suspect)?/g),
    ([, node, epoch, end, suspect]) => ({
      node: Number(node),
      epoch: Number(epoch),
      end: Number(end),
      isSuspect: suspect !== undefined,
    }),
  );
}
