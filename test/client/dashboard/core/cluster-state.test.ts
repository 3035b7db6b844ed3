import { describe, expect, it } from 'vitest';
import { applyMessage, emptyState } from '../../../../client/dashboard/core/cluster-state.ts';
import { groupEvents, kindWords } from '../../../../client/dashboard/core/event-groups.ts';
import { gapScale, niceCeiling, placeOn } from '../../../../client/dashboard/core/gap-scale.ts';
import { gapOf, healthOf } from '../../../../client/dashboard/core/partition-health.ts';
import { createRateMeter, measure } from '../../../../client/dashboard/core/rates.ts';
import type {
  EventRow,
  NodeRow,
  PartitionRow,
  StateMessage,
} from '../../../../proto/dashboard/messages.ts';

const row: PartitionRow = {
  topic: 1,
  partition: 0,
  leader: 1,
  leaderEpoch: 1,
  partitionEpoch: 1,
  replicas: [1, 2, 3],
  isr: [1, 2, 3],
  elr: [],
  semiSync: [],
  suspects: [],
};

function message(over: Partial<StateMessage>): StateMessage {
  return {
    kind: 'state',
    isFull: false,
    wallMs: 1_000,
    revision: 1,
    isStale: false,
    controller: 1,
    term: 1,
    nodes: [],
    topics: [],
    goneTopics: [],
    partitions: [],
    replicas: [],
    ...over,
  };
}

const whole = message({
  isFull: true,
  topics: [{ handle: 1, name: 'orders', isInternal: false, minInsyncReplicas: 2 }],
  partitions: [row],
  replicas: [
    [1, 0, 1, 0, 100, 100, 80, 1],
    [1, 0, 2, 0, 90, 80, 80, -1],
    [1, 0, 3, 0, 10, 10, 10, -1],
  ],
});

function stateOf(...messages: StateMessage[]) {
  const state = emptyState();
  for (const one of messages) applyMessage(state, one);
  return state;
}

describe('the state of the page', () => {
  it('is the snapshot with the changes after it', () => {
    const state = stateOf(
      whole,
      message({ partitions: [{ ...row, isr: [1] }], replicas: [[1, 0, 1, 0, 120, 120, 80, 1]] }),
    );
    const [view] = state.ordered;
    if (view === undefined) throw new Error('the partition is not there');
    expect(healthOf(view)).toBe('below-minimum');
    expect(gapOf(view)).toBe(40);
  });

  it('forgets what a later snapshot does not name, and topics that are gone', () => {
    expect(stateOf(whole, message({ isFull: true })).ordered).toEqual([]);
    expect(stateOf(whole, message({ goneTopics: [1] })).ordered).toEqual([]);
  });

  it('shows an event once, whichever node tells it', () => {
    const state = stateOf(whole);
    applyMessage(state, { kind: 'events', events: [event(1)] });
    applyMessage(state, { kind: 'events', events: [event(1), event(2)] });
    expect(state.events.map(({ sequence }) => sequence)).toEqual([1, 2]);
    // The next active controller has copied them, and tells them in its own term.
    const again = [event(1), event(2), event(3)].map((one) => ({ ...one, term: one.term + 1 }));
    applyMessage(state, { kind: 'events', events: again });
    expect(state.events.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });
});

describe('the picture', () => {
  it('reaches from the slowest member of the in-sync set to the log end', () => {
    const [view] = stateOf(whole, message({ partitions: [{ ...row, isr: [1, 2] }] })).ordered;
    if (view === undefined) throw new Error('the partition is not there');
    const scale = gapScale(view, undefined);
    expect(scale).toEqual({ from: 50, to: 100 });
    expect(placeOn(scale, 10)).toBe(0);
    expect(placeOn(scale, 80)).toBeCloseTo(0.6);
  });

  it('keeps its width while that fits', () => {
    const [view] = stateOf(whole, message({ partitions: [{ ...row, isr: [1, 2] }] })).ordered;
    if (view === undefined) throw new Error('the partition is not there');
    expect(gapScale(view, 200).to).toBe(200);
    expect(gapScale(view, 20).to - gapScale(view, 20).from).toBe(50);
    expect([3, 20, 21, 1_000, 1_001].map(niceCeiling)).toEqual([5, 20, 50, 1_000, 2_000]);
  });
});

describe('the timeline', () => {
  it('tells what happened to many for one reason at once as one', () => {
    const events = Array.from({ length: 1_000 }, (_, at) => event(at));
    const [group, ...others] = groupEvents(events, 10);
    expect(group?.count).toBe(1_000);
    expect(others).toEqual([]);
  });

  it('says whether an in-sync set grew or shrank', () => {
    const evidence = { before: '1,2,3', isr: '1,2' };
    expect(kindWords({ ...event(1), kind: 'isr-changed', evidence })).toBe('ISR shrank');
  });
});

it('rates count a node that began anew from zero', () => {
  const meter = createRateMeter();
  measure(meter, [node(5_000)], 1_000);
  measure(meter, [node(6_000)], 2_000);
  measure(meter, [node(500)], 3_000);
  expect(meter.samples.map((one) => one.writtenBytesPerSecond)).toEqual([1_000, 500]);
});

function event(sequence: number): EventRow {
  return {
    sequence,
    term: 1,
    wallMs: 1_000,
    kind: 'leader-elected',
    subject: `orders/${sequence}`,
    reason: 'leader-lost',
    evidence: {},
  };
}

function node(producedBytes: number): NodeRow {
  return {
    id: 1,
    address: '',
    rack: '',
    state: 'active',
    intent: 'serve',
    voter: null,
    leaders: 0,
    replicas: 0,
    heardMs: 0,
    http: '',
    figures: {
      isReady: true,
      residentBytes: 0,
      loopDelayUs: 0,
      producedBytes,
      producedRecords: 0,
      fetchedBytes: 0,
      produceMs: [],
    },
  };
}
