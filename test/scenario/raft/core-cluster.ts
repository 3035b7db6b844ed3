/**
 * A quorum of bare cores for stories: every message waits until the story delivers it, every flush can
 * be held back, and time passes only when the story says so.
 */
import type { Effect } from '../../../controller/raft/core/effects.ts';
import type { EntryBody, LogEntry } from '../../../controller/raft/core/entry.ts';
import type { InputBody } from '../../../controller/raft/core/inputs.ts';
import { LogView } from '../../../controller/raft/core/log-view.ts';
import type { Envelope } from '../../../controller/raft/core/messages.ts';
import { createMember, step } from '../../../controller/raft/core/quorum-member.ts';
import type { Rules } from '../../../controller/raft/core/rules.ts';
import type { HardState, RaftState } from '../../../controller/raft/core/state.ts';
import { nodeIdOf, type Voter, voterId } from '../../../controller/raft/core/voter.ts';
import { raftTiming } from '../../../controller/raft/timing.ts';
import { nodeId, storageId } from '../../../proto/model/ids.ts';
import { logIndex, term as makeTerm } from '../../../proto/model/offset.ts';
import { lineOf } from './story-line.ts';

interface Disk {
  readonly hard: HardState;
  readonly log: LogView;
  readonly snapshot: RaftState['snapshot'];
}

interface CoreMember {
  readonly voter: Voter;
  state: RaftState;
  disk: Disk;
  isDown: boolean;
  /** The disk takes long: the next write is held. */
  isSlow: boolean;
  /** Set while a write is held: what waits for the flush, and the inputs behind it. */
  held: { readonly after: readonly Effect[]; readonly inputs: InputBody[] } | undefined;
}

const start = { index: logIndex(0), term: makeTerm(0) };

export class CoreCluster {
  readonly members = new Map<number, CoreMember>();
  /** Sent and not delivered, oldest first. */
  messages: Envelope[] = [];
  /** What happened since the story last looked. */
  readonly told: string[] = [];
  now = 0;
  /** Entries of one message, in bytes; 1 is one entry at a time. */
  appendBytesMax = 512 * 1024;
  readonly #rules: Rules;
  #ids = 0;

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  add(number: number, disk: Disk): void {
    const voter = voterOf(number);
    const state = this.#boot(voter, disk);
    this.members.set(number, { voter, state, disk, isDown: false, isSlow: false, held: undefined });
  }

  /** All numbers as the voters of a quorum that was just formed. */
  form(numbers: readonly number[]): void {
    const voters = numbers.map(voterOf);
    for (const number of numbers) this.add(number, formed([{ kind: 'config', voters }], [1]));
  }

  /** Gives a member a history: the term of each entry after the first. */
  preset(number: number, terms: readonly number[], term: number): void {
    const member = this.#member(number);
    const first = member.disk.log.entryAt(logIndex(1))?.body ?? { kind: 'noop' };
    const bodies = terms.map((): EntryBody => ({ kind: 'noop' }));
    const disk = formed([first, ...bodies], [1, ...terms]);
    member.disk = { ...disk, hard: { ...disk.hard, term: makeTerm(term) } };
    member.state = this.#boot(member.voter, member.disk);
  }

  input(number: number, input: InputBody): void {
    const member = this.#member(number);
    if (member.isDown) return;
    if (member.held !== undefined) {
      member.held.inputs.push(input);
      return;
    }
    this.#step(number, member, input);
  }

  /** So much time passes, and every running member looks at the clock. */
  wait(ms: number): void {
    this.now += ms;
    for (const number of this.members.keys()) this.input(number, { kind: 'tick' });
  }

  /** Time passes until nobody hears a leader any more; only this member looks at the clock. */
  timeout(number: number): void {
    const { state } = this.#member(number);
    this.now = Math.max(this.now + state.timing.electionMs, state.electionDueAt);
    this.input(number, { kind: 'tick' });
  }

  propose(number: number, text: string): void {
    this.input(number, { kind: 'propose', id: ++this.#ids, data: Buffer.from(text) });
  }

  ask(number: number, input: (id: number) => InputBody): void {
    this.input(number, input(++this.#ids));
  }

  /** Delivers what lies between two members or all, and what that brings forth, until it is quiet. */
  deliver(chosen: (from: number, to: number, message: Envelope) => boolean, most = 1_000): void {
    for (let rounds = 0; rounds < most; rounds++) {
      const at = this.messages.findIndex((message) => chosen(...ends(message), message));
      const [message] = at < 0 ? [] : this.messages.splice(at, 1);
      if (message === undefined) return;
      this.input(nodeIdOf(message.to), { kind: 'message', message });
    }
    if (most === 1_000) this.told.push('it never became quiet');
  }

  drop(chosen: (from: number, to: number) => boolean): void {
    this.messages = this.messages.filter((message) => !chosen(...ends(message)));
  }

  /** The disk of a member takes long from its next write on. */
  hold(number: number): void {
    this.#member(number).isSlow = true;
  }

  /** The held write is done: what waited for it goes on. */
  flush(number: number): void {
    const member = this.#member(number);
    const { held, state } = member;
    member.isSlow = false;
    member.held = undefined;
    if (held === undefined) return;
    member.disk = { hard: state.hard, log: state.log, snapshot: state.snapshot };
    this.#run(number, held.after);
    this.input(number, { kind: 'flushed', last: state.log.last });
    for (const input of held.inputs) this.input(number, input);
  }

  crash(number: number): void {
    const member = this.#member(number);
    member.isDown = true;
    member.isSlow = false;
    member.held = undefined;
    this.messages = this.messages.filter(({ from, to }) =>
      [from, to].every((id) => nodeIdOf(id) !== number),
    );
  }

  restart(number: number, damage?: HardState['damage']): void {
    this.restartUnseen(number, damage);
    for (const other of this.members.keys()) {
      if (other === number) continue;
      this.input(other, { kind: 'peer-lost', peer: this.#member(number).voter.id });
    }
  }

  /** It is back before the others saw its stream end. */
  restartUnseen(number: number, damage?: HardState['damage']): void {
    const member = this.#member(number);
    if (damage !== undefined) {
      const log = member.disk.log.cutFrom(logIndex(damage.lostTo));
      member.disk = { ...member.disk, log, hard: { ...member.disk.hard, damage } };
    }
    member.isDown = false;
    member.state = this.#boot(member.voter, member.disk);
  }

  #step(number: number, member: CoreMember, input: InputBody): void {
    const [state, effects] = step(member.state, [{ ...input, now: this.now, random: 0.5 }]);
    member.state = state;
    const isWritten = effects.some(({ kind }) => writes.has(kind));
    const isEarly = (effect: Effect) => effect.kind === 'send' && effect.isBeforeFlush;
    this.#run(number, effects.filter(isEarly));
    const late = effects.filter((effect) => !isEarly(effect));
    if (!isWritten) {
      this.#run(number, late);
      return;
    }
    if (member.isSlow) {
      member.held = { after: late, inputs: [] };
      return;
    }
    member.disk = { hard: state.hard, log: state.log, snapshot: state.snapshot };
    this.#run(number, late);
    const { last } = state.log;
    if (last.index > state.flushedIndex) this.input(number, { kind: 'flushed', last });
  }

  #run(number: number, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'send') this.messages.push(effect.message);
      const line = lineOf(effect);
      if (line !== undefined) this.told.push(`${number} ${line}`);
    }
  }

  #boot(voter: Voter, { hard, log, snapshot }: Disk): RaftState {
    return createMember({
      self: voter.id,
      timing: {
        ...raftTiming(1_000),
        appendBytesMax: this.appendBytesMax,
        trailingBytes: 0,
        chunkBytes: 8,
      },
      rules: this.#rules,
      hard,
      snapshot,
      base: log.base,
      entries:
        log.lastIndex > log.base.index
          ? log.between(logIndex(log.base.index + 1), log.lastIndex)
          : [],
      now: this.now,
      random: 0.5,
    });
  }

  #member(number: number): CoreMember {
    const member = this.members.get(number);
    if (member === undefined) throw new Error(`the story has no member ${number}`);
    return member;
  }
}

const writes: ReadonlySet<Effect['kind']> = new Set([
  'persist-hard-state',
  'append',
  'cut',
  'save-snapshot',
  'install-snapshot',
]);

export function voterOf(number: number): Voter {
  const storage = storageId(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`);
  const node = nodeId(number);
  return { id: voterId(node, storage), nodeId: node, storageId: storage, host: 'h', port: 1 };
}

/** The disk of a member that has these entries, all flushed. */
export function formed(bodies: readonly EntryBody[], terms: readonly number[]): Disk {
  const entries = bodies.map(
    (body, at): LogEntry => ({ index: logIndex(at + 1), term: makeTerm(terms[at] ?? 1), body }),
  );
  const term = makeTerm(terms.at(-1) ?? 0);
  return {
    hard: { term, vote: undefined, damage: undefined },
    log: LogView.from(start, entries),
    snapshot: undefined,
  };
}

function ends({ from, to }: Envelope): [number, number] {
  return [nodeIdOf(from), nodeIdOf(to)];
}
