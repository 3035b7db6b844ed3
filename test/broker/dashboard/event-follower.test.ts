import { beforeEach, expect, it } from 'vitest';
import { EventFollower } from '../../../broker/dashboard/event-follower.ts';
import type {
  ReadEventsRequest,
  ReadEventsResponse,
} from '../../../proto/generated/highwater/peer/v1/control.ts';
import { type NodeId, nodeId } from '../../../proto/model/ids.ts';
import { revision } from '../../../proto/model/offset.ts';

let active: NodeId;
let term: number;
let asked: { from: NodeId; fromSequence: number }[];
let follower: EventFollower;

beforeEach(() => {
  active = nodeId(1);
  term = 1;
  asked = [];
  follower = new EventFollower({
    activeController: () => active,
    term: () => term,
    read: (from, { fromSequence }) => {
      asked.push({ from, fromSequence });
      return Promise.resolve(page(fromSequence));
    },
  });
});

/** One event for each read, behind those that the former controllers recorded. */
function page(from: ReadEventsRequest['fromSequence']): ReadEventsResponse {
  const event = (at: number) => ({
    sequence: from + 1,
    wallMs: 0,
    kind: 'leader-elected',
    subject: `orders/${at}`,
    reason: 'leader-lost',
    evidence: new Map(),
    revision: revision(at),
  });
  const former = Array.from({ length: from === 0 ? term - 1 : 0 }, (_, one) =>
    event(10 * (one + 1)),
  );
  return { events: [...former, event(10 * term + from)], nextSequence: from + 2, caughtUp: true };
}

async function poll(): Promise<void> {
  follower.poll();
  await Promise.resolve();
  await Promise.resolve();
}

it('reads on where it stopped', async () => {
  await poll();
  await poll();
  expect(asked.map(({ fromSequence }) => fromSequence)).toEqual([0, 2]);
  expect(follower.take().map(({ sequence }) => sequence)).toEqual([1, 3]);
  expect(follower.take()).toEqual([]);
});

it('begins anew with the journal of another active controller, and tells nothing twice', async () => {
  await poll();
  active = nodeId(2);
  term = 2;
  await poll();
  expect(asked.at(-1)).toEqual({ from: 2, fromSequence: 0 });
  expect(follower.kept.map(({ kind, subject, term }) => `${kind} ${subject} ${term}`)).toEqual([
    'leader-elected orders/10 1',
    'leader-elected orders/20 2',
  ]);
});
