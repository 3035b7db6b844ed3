/** What a leader must show before it answers a linearizable read. */
import { beforeEach, describe, expect, it } from 'vitest';
import { everyRule, type Rules } from '../../../broker/replication/core/rules.ts';
import { LeadershipProof, type ProvedReplica } from '../../../broker/services/leadership-proof.ts';
import { record } from '../../../proto/metadata/records.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { nodeId, partitionNumber } from '../../../proto/model/ids.ts';
import {
  leaderEpoch,
  offset,
  partitionEpoch,
  type Revision,
  revision,
} from '../../../proto/model/offset.ts';
import { VirtualTime } from '../../../proto/ports/memory/virtual-time.ts';
import { after, state, theTopic, topicWith } from '../../proto/metadata/metadata-builders.ts';
import { KnownMetadata } from './known-metadata.ts';

describe('a proof of leadership', () => {
  let time: VirtualTime;
  let known: KnownMetadata;
  let rounds: ((committed: Revision) => void)[];
  let proof: LeadershipProof;
  let moved: () => void;
  const leader = { kind: 'leader', epoch: leaderEpoch(4), epochStart: offset(10) };
  let replica: { role: object; watermark: number; rules: Rules };
  let outcome: string | undefined;

  beforeEach(() => {
    time = new VirtualTime();
    known = new KnownMetadata();
    known.take(after(known.image, topicWith(state([1, 2], { leaderEpoch: leaderEpoch(4) }))));
    rounds = [];
    proof = new LeadershipProof({
      nodeId: nodeId(1),
      source: known,
      clock: time.clockFor('leader'),
      committed: () => new Promise((resolve) => rounds.push(resolve)),
    });
    replica = { role: leader, watermark: 10, rules: everyRule };
    outcome = undefined;
  });

  async function asked(): Promise<void> {
    const state = replica;
    const asks = {
      topicId: theTopic,
      partition: partitionNumber(0),
      state,
      onceMoved: (callback: () => void) => {
        moved = callback;
        return () => undefined;
      },
    };
    proof.give(asks as unknown as ProvedReplica).then(
      () => {
        outcome = 'led';
      },
      (error: unknown) => {
        outcome = HighwaterError.from(error).code;
      },
    );
    await time.advance(1);
  }

  /** A majority says so, to the round that is under way. */
  async function committed(at: number): Promise<void> {
    rounds.shift()?.(revision(at));
    await time.advance(1);
  }

  it('is given once a majority has said what is committed, and that is known here', async () => {
    await asked();
    expect(outcome).toBeUndefined();
    await committed(known.image.revision);
    expect(outcome).toBe('led');
  });

  it('is refused to a leader that was deposed and has not heard', async () => {
    const deposed = after(
      known.image,
      record('roundOpened', {
        topicId: theTopic,
        state: state([1, 2], {
          leader: undefined,
          leaderEpoch: leaderEpoch(5),
          partitionEpoch: partitionEpoch(2),
          roundPurpose: 'leader-lost',
        }),
      }),
    );
    await asked();
    await committed(deposed.revision);
    expect(outcome).toBeUndefined();
    known.take(deposed);
    await time.advance(1);
    expect(outcome).toBe('NOT_LEADER');
  });

  it('is not given by a round that had begun before the question', async () => {
    await asked();
    await asked();
    expect(rounds).toHaveLength(1);
    await committed(known.image.revision);
    expect(rounds).toHaveLength(1);
    outcome = undefined;
    await committed(known.image.revision);
    expect(outcome).toBe('led');
  });

  it('waits until a new leader knows what was acknowledged before it', async () => {
    replica.watermark = 9;
    await asked();
    await committed(known.image.revision);
    expect(outcome).toBeUndefined();
    replica.watermark = 10;
    moved();
    await time.advance(1);
    expect(outcome).toBe('led');
  });

  it('is given up after a while', async () => {
    await asked();
    await committed(known.image.revision + 1);
    await time.advance(6_000);
    expect(outcome).toBe('STALE_METADATA');
  });
});
