import { describe, expect, it } from 'vitest';
import { deltaBetween } from '../../../proto/metadata/delta.ts';
import { emptyImage, partitionsOn, topicNamed } from '../../../proto/metadata/image.ts';
import { decodeRecords, encodeRecords, record } from '../../../proto/metadata/records.ts';
import { replay, replaySnapshot } from '../../../proto/metadata/replay.ts';
import { snapshotRecords } from '../../../proto/metadata/snapshot.ts';
import { nodeId, partitionNumber, producerId } from '../../../proto/model/ids.ts';
import { limits } from '../../../proto/model/limits.ts';
import { brokerEpoch, leaderEpoch, partitionEpoch, revision } from '../../../proto/model/offset.ts';
import {
  after,
  clusterOf,
  nodes,
  refusalOf,
  registered,
  state,
  theTopic,
  topicWith,
} from './metadata-builders.ts';

const three = after(clusterOf(1, 2, 3), topicWith(state([1, 2, 3])));
const next = { partitionEpoch: partitionEpoch(2) };
const changed = (change: object) =>
  record('partitionChanged', {
    topicId: theTopic,
    state: state([1, 2, 3], { ...next, ...change }),
  });
const opened = (change: object) =>
  record('roundOpened', {
    topicId: theTopic,
    state: state([1, 2, 3], {
      ...next,
      leader: undefined,
      leaderEpoch: leaderEpoch(2),
      roundPurpose: 'leader-lost',
      ...change,
    }),
  });

describe('replay', () => {
  it('gives a broker the revision of its registration as epoch', () => {
    const image = after(three, registered(4));
    expect(image.brokers.get(nodeId(4))).toMatchObject({
      brokerEpoch: image.revision,
      state: 'fenced',
    });
  });

  it('changes nothing but the revision for a change with one bad record, and says which', () => {
    const at = revision(three.revision + 1);
    const { image, refused } = replay(three, at, [registered(4), changed({ isr: nodes(1, 9) })]);
    expect(refused).toMatchObject({ index: 1, kind: 'partitionChanged', isUnreadable: false });
    expect(image).toEqual({ ...three, revision: at });
    expect(three.brokers.has(nodeId(4))).toBe(false);
  });

  it('tells a record of a later version from a bad one', () => {
    const at = revision(three.revision + 1);
    const later = { ...registered(4), version: 2 };
    expect(replay(three, at, [later]).refused).toMatchObject({ isUnreadable: true });
    expect(replay(three, at, [{ version: 1, body: undefined }]).refused).toMatchObject({
      isUnreadable: true,
    });
  });

  it.each<[string, object]>([
    ['does not follow', { partitionEpoch: partitionEpoch(3) }],
    ['does not follow', { partitionEpoch: partitionEpoch(1) }],
    ['only a round raises', { leaderEpoch: leaderEpoch(2) }],
    ['only a round changes the leader', { leader: nodeId(2) }],
    ['not in isr', { isr: nodes(2, 3) }],
    ['not a replica', { isr: nodes(1, 4) }],
    ['twice', { isr: nodes(1, 1) }],
    ['share', { isr: nodes(1), elr: nodes(1) }],
    ['has the minimum', { isr: nodes(1, 2), elr: nodes(3) }],
    ['suspect', { suspects: nodes(2) }],
    ['semi-sync members', { semiSyncMembers: nodes(1, 2) }],
    ['semi-sync members', { semiSyncReplicas: 2 }],
    ['both added and removed', { adding: nodes(3), removing: nodes(3), isr: nodes(1, 2) }],
    ['all replicas are removed', { removing: nodes(1, 2, 3) }],
    ['succeeds itself', { successor: nodeId(1) }],
    ['purpose', { roundPurpose: 'planned' }],
    ['only an election may be unclean', { uncleanEpoch: leaderEpoch(1) }],
    ['not a registered broker', { replicas: nodes(1, 2, 9), isr: nodes(1, 2) }],
    ['0 replicas', { replicas: [], isr: [] }],
  ])('refuses a change of a partition: %s', (reason, change) => {
    expect(refusalOf(three, changed(change))).toContain(reason);
  });

  it('takes a round one epoch up without a leader, then one election in that epoch', () => {
    const open = after(three, opened({ isr: nodes(2, 3) }));
    expect(open.leaderlessCount).toBe(1);
    const elected = record('partitionElected', {
      topicId: theTopic,
      state: state([1, 2, 3], {
        leader: nodeId(2),
        leaderEpoch: leaderEpoch(2),
        partitionEpoch: partitionEpoch(3),
        isr: nodes(2, 3),
      }),
    });
    const done = after(open, elected);
    expect(done.leaderlessCount).toBe(0);
    expect(refusalOf(done, elected)).toBeDefined();
    expect(refusalOf(three, elected)).toBeDefined();
  });

  it('refuses a round that skips an epoch or keeps a leader', () => {
    expect(refusalOf(three, opened({ leaderEpoch: leaderEpoch(3) }))).toContain('does not follow');
    expect(refusalOf(three, opened({ leader: nodeId(1) }))).toContain('without a leader');
  });

  it('keeps a fenced broker out of every in-sync set', () => {
    const epoch = three.brokers.get(nodeId(2))?.brokerEpoch ?? brokerEpoch(0);
    const fenced = after(three, record('brokerFenced', { nodeId: nodeId(2), brokerEpoch: epoch }));
    expect(refusalOf(fenced, changed({}))).toContain('fenced');
  });

  it('ignores what was decided about an earlier incarnation', () => {
    const old = three.brokers.get(nodeId(2))?.brokerEpoch ?? brokerEpoch(0);
    const again = after(three, registered(2, 2));
    const fence = record('brokerUnfenced', { nodeId: nodeId(2), brokerEpoch: old });
    expect(refusalOf(again, fence)).toContain('not the registered one');
  });

  it('forgets no broker that still holds replicas', () => {
    expect(refusalOf(three, record('brokerRemoved', { nodeId: nodeId(3) }))).toContain('replicas');
  });

  it('never gives a producer id out twice', () => {
    const block = (first: number) =>
      record('producerIdsAllocated', { first: producerId(first), count: 1000 });
    const image = after(three, block(0));
    expect(image.nextProducerId).toBe(1000);
    expect(refusalOf(image, block(999))).toContain('the next one is 1000');
    expect(after(image, block(1000)).nextProducerId).toBe(2000);
  });

  it('applies a request once, and forgets the oldest beyond the bound', () => {
    const done = (n: number) =>
      record('requestDone', {
        requestId: `r${n}`,
        answer: Buffer.of(n & 255),
        revision: revision(0),
      });
    const image = after(three, done(1));
    expect(image.requests.byId.get('r1')).toMatchObject({ revision: image.revision });
    expect(refusalOf(image, registered(4), done(1))).toContain('done before');
    const many = Array.from({ length: limits.requestsRememberedMax }, (_, i) => done(i + 2));
    const full = after(image, ...many);
    expect(full.requests.byId.size).toBe(limits.requestsRememberedMax);
    expect(full.requests.byId.has('r1')).toBe(false);
    expect(full.requests.byId.has('r2')).toBe(true);
  });

  it('knows what each broker holds, also after a topic is gone', () => {
    const two = after(
      three,
      record('partitionsAdded', {
        topicId: theTopic,
        partitions: [state([2, 3], { partition: partitionNumber(1) })],
      }),
    );
    expect(two.hosting.get(nodeId(2))).toMatchObject({ replicas: 2, leaders: 1 });
    expect([...partitionsOn(two, nodeId(1))].map((one) => one.partition.partition)).toEqual([0]);
    const gone = after(two, record('topicDeleted', { topicId: theTopic }));
    expect([gone.hosting.size, gone.partitionCount, gone.topics.size]).toEqual([0, 0, 0]);
    expect(topicNamed(gone, 'orders')).toBeUndefined();
  });

  it('refuses a topic whose name or id is taken or is none', () => {
    expect(refusalOf(three, topicWith(state([1])))).toContain('exists');
    for (const name of ['', '.', '..', 'a/b', 'a\0', 'x'.repeat(250), 'é']) {
      const body = {
        topicId: theTopic,
        name,
        isInternal: false,
        config: new Map(),
        partitions: [],
      };
      expect(refusalOf(clusterOf(1), record('topicCreated', body))).toContain('topic name');
    }
  });
});

describe('what is applied', () => {
  it('takes the default for a setting that is none, and says nothing of one that it does not know', () => {
    const config = new Map([
      ['flush', 'sometimes'],
      ['min.insync.replicas', '-1'],
      ['later.setting', '1'],
    ]);
    const topicId = theTopic;
    const image = after(three, record('topicConfigChanged', { topicId, config }));
    const before = three.topics.get(theTopic)?.settings;
    const settings = image.topics.get(theTopic)?.settings;
    expect(settings?.flush).toBe(before?.flush);
    expect(settings?.minInsyncReplicas).toBe(2);
  });

  it('refuses a broker that nobody could reach', () => {
    const { body } = registered(9);
    if (body?.kind !== 'brokerRegistered') throw new Error('it is a registration');
    const changes = [{ port: 0 }, { peerPort: 65_536 }, { host: '' }, { rack: 'r'.repeat(65) }];
    for (const change of changes)
      expect(
        refusalOf(three, record('brokerRegistered', { ...body.value, ...change })),
      ).toBeDefined();
    expect(refusalOf(three, registered(9))).toBeUndefined();
  });
});

describe('a snapshot', () => {
  it('rebuilds the image, through bytes', () => {
    const records = decodeRecords(encodeRecords([...snapshotRecords(three)]));
    const { image, refused } = replaySnapshot(three.revision, records);
    expect(refused).toBeUndefined();
    expect([...snapshotRecords(image)]).toEqual([...snapshotRecords(three)]);
    expect([...image.hosting.entries()].length).toBe(3);
    const delta = deltaBetween(emptyImage, image);
    expect(delta.brokers.length).toBe(3);
  });

  it('that ends early is refused, or is the whole records before the cut', () => {
    const bytes = encodeRecords([...snapshotRecords(three)]);
    let refusals = 0;
    for (let end = 0; end < bytes.length; end++) {
      try {
        const records = decodeRecords(bytes.subarray(0, end));
        expect(encodeRecords(records)).toEqual(bytes.slice(0, end));
      } catch (caught) {
        expect(caught).toMatchObject({ code: 'INVALID_REQUEST' });
        refusals++;
      }
    }
    expect(refusals).toBe(bytes.length - [...snapshotRecords(three)].length);
  });
});
