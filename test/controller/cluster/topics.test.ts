import { describe, expect, it } from 'vitest';
import { decideAlterTopic } from '../../../controller/cluster/core/topic-config.ts';
import {
  type CreateTopic,
  decideAddPartitions,
  decideCreateTopic,
  decideDeleteTopic,
} from '../../../controller/cluster/core/topics.ts';
import { type NodeId, nodeId, topicId } from '../../../proto/model/ids.ts';
import { uuid } from '../../proto/metadata/metadata-builders.ts';
import { DecisionWorld, refusal } from './decision-world.ts';

const plain: CreateTopic = {
  name: 'orders',
  partitions: 1,
  replicationFactor: 3,
  config: new Map(),
  assignment: [],
  validateOnly: false,
  isInternal: false,
};
const chance = { topicId: topicId(uuid(4000)), random: 0.5 };
const lists = (...replicas: number[][]): NodeId[][] => replicas.map((list) => list.map(nodeId));

function create(world: DecisionWorld, change: Partial<CreateTopic>) {
  return decideCreateTopic(world.image, { ...plain, ...change }, chance);
}

describe('creating a topic', () => {
  it.each<[string, string, Partial<CreateTopic>]>([
    ['INVALID_TOPIC', 'expected 1 to 249', { name: '' }],
    ['INVALID_TOPIC', 'and not . or ..', { name: '.' }],
    ['INVALID_TOPIC', 'and not . or ..', { name: '..' }],
    ['INVALID_TOPIC', 'expected 1 to 249', { name: 'x'.repeat(250) }],
    ['INVALID_TOPIC', '"a/b"', { name: 'a/b' }],
    ['INVALID_TOPIC', '"a\\u0000"', { name: 'a\0' }],
    ['INVALID_TOPIC', '"%2e"', { name: '%2e' }],
    ['INVALID_TOPIC', 'é', { name: 'é' }],
    ['INVALID_TOPIC', 'the system’s own'.replace('’', "'"), { name: '__offsets' }],
    ['INVALID_TOPIC', 'cannot be told from a.b', { name: 'a_b' }],
    ['TOPIC_EXISTS', 'a.b exists', { name: 'a.b' }],
    ['INVALID_PARTITIONS', '0 partitions; expected 1 to 10000', { partitions: 0 }],
    ['INVALID_PARTITIONS', 'expected 1 to 10000', { partitions: 1_000_000_000 }],
    ['INVALID_PARTITIONS', 'expected 1 to', { partitions: 1.5 }],
    ['INVALID_REPLICATION_FACTOR', '0; expected 1 to 3', { replicationFactor: 0 }],
    ['INVALID_REPLICATION_FACTOR', '4; expected 1 to 3', { replicationFactor: 4 }],
    ['INVALID_REASSIGNMENT', 'repeat a broker', { assignment: lists([1, 2, 2]) }],
    ['INVALID_REASSIGNMENT', 'broker 9 is not registered', { assignment: lists([1, 2, 9]) }],
    ['INVALID_REASSIGNMENT', '0; expected 1 to 16', { assignment: lists([]) }],
    ['INVALID_REASSIGNMENT', 'as many as', { assignment: lists([1, 2, 3], [1, 2]), partitions: 2 }],
    ['INVALID_PARTITIONS', '5 partitions and 1', { assignment: lists([1, 2, 3]), partitions: 5 }],
    ['INVALID_REPLICATION_FACTOR', 'lists of 2', { assignment: lists([1, 2]) }],
    ['INVALID_CONFIG', 'did you mean', { config: new Map([['segment.byte', '1']]) }],
    ['INVALID_CONFIG', '-1 to', { config: new Map([['retention.ms', '-5']]) }],
    ['INVALID_CONFIG', 'expected 1 to 3', { config: new Map([['min.insync.replicas', '4']]) }],
    ['INVALID_CONFIG', 'expected 0 to 3', { config: new Map([['semi.sync.replicas', '4']]) }],
  ])('is refused as %s, saying %s: %o', (code, text, change) => {
    const world = new DecisionWorld();
    world.createTopic('a.b');
    const no = refusal(create(world, change));
    expect(no.code).toBe(code);
    expect(no.message).toContain(text);
  });

  it('with no counts gives one partition on three brokers, or on as many as there are', () => {
    const given = { partitions: undefined, replicationFactor: undefined };
    for (const [brokers, replicas] of [
      [[1, 2, 3, 4], 3],
      [[1, 2], 2],
      [[1], 1],
    ] as const) {
      const world = new DecisionWorld([...brokers]);
      expect(world.createTopic('t', given).partitions.size).toBe(1);
      expect(world.partition('t').replicas.length).toBe(replicas);
    }
  });

  it('only validated, changes nothing', () => {
    const world = new DecisionWorld();
    expect(create(world, { validateOnly: true })).toMatchObject({ records: [], events: [] });
    expect(refusal(create(world, { validateOnly: true, partitions: 0 })).code).toBe(
      'INVALID_PARTITIONS',
    );
  });

  it('leads with serving replicas and leaves fenced ones out of sync', () => {
    const world = new DecisionWorld();
    world.heartbeat(1, { diskFailing: true });
    world.createTopic('t', { assignment: lists([1, 2, 3]) });
    expect(world.partition('t')).toMatchObject({ leader: 2, isr: [2, 3], replicas: [1, 2, 3] });
    world.createTopic('u', { partitions: 6, replicationFactor: 3 });
    for (const partition of world.topic('u').partitions.values()) {
      expect(partition.replicas[2]).toBe(1);
    }
  });

  it('lets who does not serve yet lead later, as long as nothing can be committed without him', () => {
    const world = new DecisionWorld();
    world.heartbeat(1, { diskFailing: true });
    world.createTopic('t', { assignment: lists([1, 2, 3]) });
    expect(world.partition('t')).toMatchObject({ isr: [2, 3], elr: [] });
    world.heartbeat(2, { diskFailing: true });
    world.createTopic('u', { assignment: lists([1, 2, 3]) });
    expect(world.partition('u')).toMatchObject({ leader: 3, isr: [3], elr: [1, 2] });
    const config = new Map([['min.insync.replicas', '1']]);
    world.createTopic('v', { assignment: lists([1, 2, 3]), config });
    expect(world.partition('v')).toMatchObject({ isr: [3], elr: [] });
  });

  it('is refused while no broker serves', () => {
    const world = new DecisionWorld([1]);
    world.heartbeat(1, { diskFailing: true });
    const no = refusal(create(world, { replicationFactor: 1 }));
    expect(no.message).toContain('no broker serves');
    const explicit = refusal(create(world, { assignment: lists([1]), replicationFactor: 1 }));
    expect(explicit.message).toContain('serves at present');
  });

  it('under the name of a deleted one gives another identity', () => {
    const world = new DecisionWorld();
    const first = world.createTopic('t').topicId;
    world.commit(decideDeleteTopic(world.image, 't'));
    expect(world.createTopic('t').topicId).not.toBe(first);
  });
});

describe('changing a topic', () => {
  it('of another name, or of the system, is refused', () => {
    const world = new DecisionWorld();
    world.createTopic('__groups', { isInternal: true });
    const set = new Map([['flush', 'os']]);
    for (const [name, code] of [
      ['nope', 'UNKNOWN_TOPIC'],
      ['__groups', 'INVALID_TOPIC'],
    ] as const) {
      expect(refusal(decideDeleteTopic(world.image, name)).code).toBe(code);
      expect(refusal(decideAlterTopic(world.image, { name, set, reset: [] })).code).toBe(code);
      expect(refusal(decideAddPartitions(world.image, { name, total: 9 }, 0)).code).toBe(code);
    }
  });

  it('adds partitions and never takes any away', () => {
    const world = new DecisionWorld();
    world.createTopic('t', { partitions: 3 });
    for (const total of [0, 2, 3, 100_001, 10_004]) {
      const no = refusal(decideAddPartitions(world.image, { name: 't', total }, 0));
      expect(no).toMatchObject({ code: 'INVALID_PARTITIONS', facts: { from: 4, to: 10_003 } });
    }
    world.commit(decideAddPartitions(world.image, { name: 't', total: 9 }, 0));
    expect([...world.topic('t').partitions.keys()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const leaders = [...world.topic('t').partitions.values()].map(({ leader }) => leader);
    for (const id of [1, 2, 3]) expect(leaders.filter((one) => one === id).length).toBe(3);
  });

  it('sets and resets settings, and commits nothing for what is so already', () => {
    const world = new DecisionWorld();
    world.createTopic('t');
    const alter = (set: [string, string][], reset: string[] = []) =>
      decideAlterTopic(world.image, { name: 't', set: new Map(set), reset });
    world.commit(
      alter([
        ['flush', 'os'],
        ['retention.ms', '1000'],
      ]),
    );
    expect(world.topic('t').settings).toMatchObject({ flush: 'os', retentionMs: 1000 });
    expect(alter([['flush', 'os']])).toMatchObject({ records: [] });
    world.commit(alter([], ['flush']));
    expect(world.topic('t').settings.flush).toBe('ack');
    expect([...world.topic('t').config.keys()]).toEqual(['retention.ms']);
    expect(refusal(alter([['flush', 'os']], ['flush'])).code).toBe('INVALID_CONFIG');
    expect(refusal(alter([], ['flish'])).message).toContain('did you mean');
    expect(refusal(alter([['min.insync.replicas', '4']])).message).toContain('expected 1 to 3');
  });

  it('of the minimum steps every partition and judges anew who is eligible', () => {
    const world = new DecisionWorld();
    world.createTopic('t', {
      assignment: lists([1, 2, 3]),
      config: new Map([['min.insync.replicas', '3']]),
    });
    world.propose(world.proposal('t', [1, 2]));
    expect(world.partition('t')).toMatchObject({ elr: [3], partitionEpoch: 2 });
    const set = new Map([['min.insync.replicas', '2']]);
    world.commit(decideAlterTopic(world.image, { name: 't', set, reset: [] }));
    expect(world.partition('t')).toMatchObject({ elr: [], partitionEpoch: 3 });
    const other = new Map([['retention.ms', '5']]);
    world.commit(decideAlterTopic(world.image, { name: 't', set: other, reset: [] }));
    expect(world.partition('t').partitionEpoch).toBe(3);
  });
});
