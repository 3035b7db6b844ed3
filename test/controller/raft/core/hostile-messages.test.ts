import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Input } from '../../../../controller/raft/core/inputs.ts';
import type { MessageBody } from '../../../../controller/raft/core/messages.ts';
import { createMember, step } from '../../../../controller/raft/core/quorum-member.ts';
import { raftTiming } from '../../../../controller/raft/timing.ts';
import { logIndex, term as makeTerm } from '../../../../proto/model/offset.ts';
import { formed, voterOf } from '../../../scenario/raft/core-cluster.ts';

const small = fc.nat(6);
const position = fc.record({ index: small.map(logIndex), term: small.map(makeTerm) });
const voters = [1, 2, 3].map(voterOf);

const body: fc.Arbitrary<MessageBody> = fc.oneof(
  fc.record({ kind: fc.constant('pre-vote-request' as const), campaign: small, last: position }),
  fc.record({
    kind: fc.constant('pre-vote-response' as const),
    campaign: small,
    isGranted: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('vote-request' as const),
    last: position,
    isTransfer: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('vote-response' as const), isGranted: fc.boolean() }),
  fc.record({ previous: position, terms: fc.array(small, { maxLength: 3 }), commit: small }).map(
    ({ previous, terms, commit }): MessageBody => ({
      kind: 'append-request',
      previous,
      entries: terms.map((term, at) => ({
        index: logIndex(previous.index + at + 1),
        term: makeTerm(term),
        body: term % 2 === 0 ? { kind: 'noop' } : { kind: 'config', voters },
      })),
      commitIndex: logIndex(commit),
      round: 1,
    }),
  ),
  fc.record({
    kind: fc.constant('append-accepted' as const),
    matchIndex: small.map(logIndex),
    round: small,
  }),
  fc.record({
    kind: fc.constant('append-rejected' as const),
    rejectedIndex: small.map(logIndex),
    hint: position,
    round: small,
  }),
  fc.record({ at: position, bytes: small, offset: small, checksum: fc.constantFrom(0, 1) }).map(
    ({ at, bytes, offset, checksum }): MessageBody => ({
      kind: 'snapshot-chunk',
      head: { ...at, voters, bytes, checksum },
      offset,
      data: new Uint8Array(bytes),
      round: 1,
    }),
  ),
  fc.record({
    kind: fc.constant('snapshot-progress' as const),
    index: small.map(logIndex),
    offset: small,
    round: small,
  }),
  fc.constant({ kind: 'timeout-now' as const }),
);

const input = fc.record({
  from: fc.integer({ min: 1, max: 4 }),
  to: fc.constantFrom(1, 1, 1, 2),
  term: small,
  body,
  wait: fc.nat(1_500),
});

it('whatever members say, in any order, a member neither fails nor breaks its own order', () => {
  fc.assert(
    fc.property(fc.array(input, { maxLength: 40 }), fc.constantFrom(1, 3), (inputs, size) => {
      const disk = formed([{ kind: 'config', voters: voters.slice(0, size) }], [1]);
      let state = createMember({
        self: voterOf(1).id,
        timing: raftTiming(1_000),
        hard: disk.hard,
        snapshot: undefined,
        base: disk.log.base,
        entries: disk.log.between(logIndex(1), logIndex(1)),
        now: 0,
        random: 0.5,
      });
      let now = 0;
      for (const { from, to, term, body, wait } of inputs) {
        now += wait;
        const message = { from: voterOf(from).id, to: voterOf(to).id, term: makeTerm(term), body };
        const steps: Input[] = [
          { kind: 'tick', now, random: 0.5 },
          { kind: 'message', message, now, random: 0.5 },
          { kind: 'flushed', last: state.log.last, now, random: 0.5 },
        ];
        const [next] = step(state, steps);
        expect(next.hard.term).toBeGreaterThanOrEqual(state.hard.term);
        expect(next.commitIndex).toBeGreaterThanOrEqual(state.commitIndex);
        expect(next.commitIndex).toBeLessThanOrEqual(next.log.lastIndex);
        if (next.hard.term === state.hard.term && state.hard.vote !== undefined) {
          expect(next.hard.vote).toBe(state.hard.vote);
        }
        state = next;
      }
    }),
    { numRuns: 1_000 },
  );
});
