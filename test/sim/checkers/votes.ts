/**
 * Terms, votes and promises about the disk, counting disk history: what was once said holds over
 * crashes, and nothing is said before the flush that it rests on (S19, S24).
 */
import type { Envelope } from '../../../controller/raft/core/messages.ts';
import type { RaftState } from '../../../controller/raft/core/state.ts';
import type { VoterId } from '../../../controller/raft/core/voter.ts';
import type { DurableQuorum, Member } from '../quorum-process.ts';
import { type Checker, Violation, type World } from '../world.ts';

export class Votes implements Checker {
  readonly name = 'votes';
  readonly #world: World;
  readonly #members: readonly Member[];
  readonly #seen = new Map<Member, RaftState>();
  /** The highest term that a member ever spoke in. */
  readonly #spoken = new Map<VoterId, number>();
  /** Whom a member voted for, by member and term. */
  readonly #voted = new Map<string, VoterId>();

  constructor(world: World, members: readonly Member[]) {
    this.#world = world;
    this.#members = members;
    for (const member of members) {
      member.onSend = (message, durable) => this.#said(message, durable);
    }
  }

  check(): void {
    for (const member of this.#members) {
      const state = member.quorum?.state;
      const before = this.#seen.get(member);
      if (state === undefined || before === state) continue;
      this.#seen.set(member, state);
      const { term } = state.hard;
      if (term < (this.#spoken.get(member.id) ?? 0)) {
        throw new Violation('term-monotonic', `${member.id} went back to term ${term}`);
      }
    }
  }

  #said(message: Envelope, durable: DurableQuorum | undefined): void {
    const { from, to, term, body } = message;
    if (body.kind === 'vote-request') this.#vote(from, from, term);
    if (body.kind === 'vote-response' && body.isGranted) this.#vote(from, to, term);
    const isPreVote = body.kind === 'pre-vote-request' || body.kind === 'pre-vote-response';
    if (!isPreVote) this.#spoken.set(from, Math.max(term, this.#spoken.get(from) ?? 0));
    this.#checkDurable(message, durable);
  }

  #vote(voter: VoterId, candidate: VoterId, term: number): void {
    const key = `${voter} ${term}`;
    const before = this.#voted.get(key);
    if (before !== undefined && before !== candidate) {
      this.#world.fail(
        'one-vote-a-term',
        `${voter} voted for ${before} and ${candidate} in ${term}`,
      );
    }
    this.#voted.set(key, candidate);
  }

  #checkDurable({ from, to, term, body }: Envelope, durable: DurableQuorum | undefined): void {
    const hard = durable?.hard;
    // A later term on the disk forbids this vote to be given again as much as the vote itself.
    const isKept = (vote: VoterId) =>
      hard !== undefined && (hard.term > term || (hard.term === term && hard.vote === vote));
    if (body.kind === 'vote-response' && body.isGranted && !isKept(to)) {
      this.#world.fail('said-before-flushed', `${from} told a vote that is not on its disk`);
    }
    if (body.kind === 'vote-request' && !isKept(from)) {
      this.#world.fail('said-before-flushed', `${from} stands with a term not on its disk`);
    }
    if (body.kind !== 'append-accepted' || durable === undefined) return;
    // A leader of a later term may have cut in the same flush what the one of this term had sent.
    if (durable.hard.term > term) return;
    if (body.matchIndex > durable.log.lastIndex) {
      this.#world.fail('said-before-flushed', `${from} acknowledged what is not on its disk`);
    }
  }
}
