/**
 * Proof that a replica still led when it was asked, for linearizable reads (rule 6.7): without it a
 * leader that was deposed and has not heard could tell of a past that others have moved on from.
 *
 * A round of the controllers, begun after the question, tells how far was committed. If the metadata up
 * to there still names this replica as leader of its epoch, nobody had led a later one by then, so nobody
 * had acknowledged anything that this replica does not have. Its watermark must have reached the start of
 * its epoch, since what earlier leaders acknowledged lies below that.
 *
 * All questions that come while a round is under way share the next one.
 */
import { partitionOf } from '../../proto/metadata/image.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { Revision } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import { latestOffset } from '../replication/core/reading.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';
import { awaitRevision } from './await-revision.ts';
import type { MetadataSource } from './metadata-source.ts';
import { movedWithin } from './moved-within.ts';

/** What the proof rests on. */
export interface LeadershipProofOptions {
  readonly nodeId: NodeId;
  readonly source: MetadataSource;
  readonly clock: Clock;
  /** Asks a majority of the controllers how far the metadata is committed. */
  readonly committed: (deadlineMs: number) => Promise<Revision>;
}

/** The replica that is asked. */
export type ProvedReplica = Pick<PartitionDriver, 'topicId' | 'partition' | 'state' | 'onceMoved'>;

/** A proof that takes longer is given up; the reader asks again. */
const proofMsMax = 5_000;

export class LeadershipProof {
  readonly #options: LeadershipProofOptions;
  #round: Promise<unknown> = Promise.resolve();
  #nextRound: Promise<Revision> | undefined;

  constructor(options: LeadershipProofOptions) {
    this.#options = options;
  }

  /** Resolves if the replica led after this call began, and knows where its log ends. */
  async give(replica: ProvedReplica): Promise<void> {
    const { nodeId, source, clock } = this.#options;
    const giveUpMs = clock.now() + proofMsMax;
    const wanted = await this.#committed();
    await awaitRevision({ source, clock }, wanted, giveUpMs);
    const committed = partitionOf(source.image, replica.topicId, replica.partition);
    const { role } = replica.state;
    const leads =
      role.kind === 'leader' &&
      committed?.leader === nodeId &&
      committed.leaderEpoch === role.epoch;
    if (!leads) throw new HighwaterError('NOT_LEADER', 'the replica led no more when it was asked');
    await this.#settled(replica, giveUpMs);
  }

  #committed(): Promise<Revision> {
    this.#nextRound ??= this.#round.then(() => {
      this.#nextRound = undefined;
      const round = this.#options.committed(proofMsMax);
      this.#round = round.catch(() => undefined);
      return round;
    });
    return this.#nextRound;
  }

  /** A new leader learns from its followers what was acknowledged before it. */
  async #settled(replica: ProvedReplica, giveUpMs: number): Promise<void> {
    const { clock } = this.#options;
    while (latestOffset(replica.state) === undefined) {
      if (clock.now() >= giveUpMs)
        throw new HighwaterError(
          'NOT_CAUGHT_UP',
          'the leader does not know yet where its log ends',
        );
      await movedWithin(replica, clock, giveUpMs - clock.now());
    }
  }
}
