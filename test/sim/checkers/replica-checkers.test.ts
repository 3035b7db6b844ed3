import { describe, expect, it } from 'vitest';
import type { Role } from '../../../broker/replication/core/state.ts';
import { nodeId, partitionNumber, topicId } from '../../../proto/model/ids.ts';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { BatchBuilder, unsequenced } from '../../../proto/wire/batch-builder.ts';
import { stampBatch } from '../../../proto/wire/batch-stamp.ts';
import { leader, nodes, replica } from '../../broker/replication/core/builders.ts';
import type { ReplicaChange, SeenReplica } from '../cluster/replica-watch.ts';
import { World } from '../world.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { Candidates } from './candidates.ts';
import { CommittedRecords } from './committed-records.ts';
import { MaximalIsr } from './maximal-isr.ts';
import { OneLeader } from './one-leader.ts';
import { OwnCuts } from './own-cuts.ts';
import { PromisedRecords } from './promised-records.ts';
import { Watermark } from './watermark.ts';

const place = 't/0';

function seen(node: number, over: Partial<SeenReplica> = {}): SeenReplica {
  const state = over.driver?.state ?? replica(over.end ?? 0);
  return {
    place,
    node: nodeId(node),
    start: 1,
    boot: 0,
    disk: 1,
    driver: {
      topicId: topicId('00000000-0000-4000-8000-000000000001'),
      partition: partitionNumber(0),
      state,
      log: { read: () => [] },
    },
    role: state.role,
    watermark: 0,
    stored: over.end ?? 0,
    end: 0,
    ...over,
  };
}

function change(one: SeenReplica, over: Partial<ReplicaChange> = {}): ReplicaChange {
  return { replica: one, before: undefined, earlier: undefined, ...over };
}

function leading(): Role {
  return leader().role;
}

const everybody = {
  leader: nodeId(1),
  leaderEpoch: leaderEpoch(1),
  isr: nodes(1, 2, 3),
  elr: nodes(),
};

describe('S5: a leader waits for everybody who is in sync', () => {
  it('holds where the committed set is within what the leader waits for', () => {
    const checker = new MaximalIsr(() => ({ ...everybody, isr: nodes(1, 2) }));
    expect(() => checker.changed(change(seen(1, { role: leading() })))).not.toThrow();
  });

  it('is violated by a leader that has forgotten a member', () => {
    const checker = new MaximalIsr(() => ({ ...everybody, isr: nodes(1, 2, 3, 4) }));
    expect(() => checker.changed(change(seen(1, { role: leading() })))).toThrow(
      'node 4 is in sync',
    );
  });

  it('says nothing of a leader that another epoch has replaced', () => {
    const checker = new MaximalIsr(() => ({
      ...everybody,
      leaderEpoch: leaderEpoch(2),
      isr: nodes(4),
    }));
    expect(() => checker.changed(change(seen(1, { role: leading() })))).not.toThrow();
  });
});

describe('S2: whoever may be elected has all that was committed', () => {
  const candidates = (stored: number, isRegistered: boolean): Candidates =>
    new Candidates(() => ({ ...everybody, isr: nodes(1), elr: nodes(2) }), {
      latest: (_, node) => seen(node, { end: node === 2 ? stored : 9 }),
      isRegistered: () => isRegistered,
    });
  const rises = change(seen(1, { watermark: 5 }));

  it('holds for an eligible replica that has stored it', () => {
    expect(() => candidates(5, true).changed(rises)).not.toThrow();
  });

  it('is violated by an eligible replica that lacks a record', () => {
    expect(() => candidates(4, true).changed(rises)).toThrow('node 2 may be elected');
  });

  it('does not ask a process that the controllers do not know yet', () => {
    expect(() => candidates(0, false).changed(rises)).not.toThrow();
  });
});

describe('S12 and S24: what a replica had is not cut', () => {
  const before = { role: replica().role, watermark: 5, stored: 7, end: 7 };

  it('holds for a cut down to the watermark', () => {
    const checker = new OwnCuts(new World(1), () => true);
    expect(() => checker.changed(change(seen(1, { end: 5 }), { before }))).not.toThrow();
  });

  it('is violated by a cut below it', () => {
    const checker = new OwnCuts(new World(1), () => true);
    expect(() => checker.changed(change(seen(1, { end: 4 }), { before }))).toThrow('own-cuts');
  });

  it('is violated by a process that begins with less than was stored', () => {
    const checker = new OwnCuts(new World(1), () => true);
    const earlier = seen(1, { end: 7 });
    expect(() => checker.changed(change(seen(1, { end: 6 }), { earlier }))).toThrow(
      'stored-survives',
    );
  });

  it('allows that on another disk', () => {
    const checker = new OwnCuts(new World(1), () => false);
    const earlier = seen(1, { end: 7 });
    expect(() => checker.changed(change(seen(1, { end: 0 }), { earlier }))).not.toThrow();
  });
});

describe('S14: an acknowledgement says what is so', () => {
  it('finds `all` above the watermark', () => {
    const checker = new Acknowledgements(2);
    checker.changed(change(seen(1, { watermark: 5, end: 9 })));
    expect(checker.acknowledged(place, 4, 'all')).toBeUndefined();
    expect(checker.acknowledged(place, 5, 'all')).toContain('5 at all');
  });

  it('finds `semi-sync` with too few who have stored it', () => {
    const checker = new Acknowledgements(2);
    checker.changed(change(seen(1, { end: 9 })));
    expect(checker.acknowledged(place, 8, 'semi-sync')).toContain('stored by 1 of 2');
    checker.changed(change(seen(2, { end: 9 })));
    expect(checker.acknowledged(place, 8, 'semi-sync')).toBeUndefined();
  });
});

describe('S9 and S1: who leads', () => {
  it('finds two processes that lead one epoch', () => {
    const checker = new OneLeader(new World(1));
    checker.changed(change(seen(1, { role: leading() })));
    expect(() => checker.changed(change(seen(2, { role: leading() })))).toThrow('one-leader');
  });

  it('finds a leader without a promised record', () => {
    const checker = new PromisedRecords();
    checker.acknowledged(place, 6);
    expect(() => checker.changed(change(seen(1, { role: leading(), end: 7 })))).not.toThrow();
    expect(() => checker.changed(change(seen(1, { role: leading(), end: 6 })))).toThrow('promised');
  });
});

describe('S8: the watermark', () => {
  const nobody = new Watermark({ latest: () => undefined });
  const before = { role: replica().role, watermark: 5, stored: 7, end: 7 };

  it('is found above the log, and going back', () => {
    expect(() => nobody.changed(change(seen(1, { watermark: 8, end: 7 })))).toThrow('above');
    expect(() => nobody.changed(change(seen(1, { watermark: 4, end: 7 }), { before }))).toThrow(
      'back from 5 to 4',
    );
  });

  it('is found above what somebody in sync has stored', () => {
    const role = leading();
    const checker = new Watermark({ latest: (_, node) => seen(node, { end: node === 3 ? 5 : 7 }) });
    const rises = change(seen(1, { role, watermark: 6, end: 7 }), { before: { ...before, role } });
    expect(() => checker.changed(rises)).toThrow('node 3 stored 5');
  });
});

describe('S3, S6 and S7: one batch at a place', () => {
  const batch = (value: string, epoch = 1): Buffer => {
    const builder = new BatchBuilder({ bytesMax: 1000 });
    builder.append(1, null, Buffer.from(value));
    const bytes = builder.seal(unsequenced);
    stampBatch(bytes, 0, { baseOffset: offset(0), leaderEpoch: leaderEpoch(epoch) });
    return bytes;
  };
  const holding = (node: number, bytes: Buffer): ReplicaChange => {
    const one = seen(node, { watermark: 1, end: 1 });
    return change({ ...one, driver: { ...one.driver, log: { read: () => [bytes] } } });
  };

  it('holds for the same bytes, and is violated by other ones or another epoch', () => {
    const checker = new CommittedRecords(new World(1));
    checker.changed(holding(1, batch('v')));
    expect(() => checker.changed(holding(2, batch('v')))).not.toThrow();
    expect(() => checker.changed(holding(3, batch('w')))).toThrow('committed-records');
    expect(() => checker.changed(holding(4, batch('v', 2)))).toThrow('epoch 2');
  });

  it('finds a new leader that lacks what was committed', () => {
    const checker = new CommittedRecords(new World(1));
    checker.changed(holding(1, batch('v')));
    const late = change(seen(2, { role: leading(), end: 0 }));
    expect(() => checker.changed(late)).toThrow('leader-completeness');
  });
});
