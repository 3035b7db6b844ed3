/**
 * The members of one shard that this node hears: their streams and when each last spoke. A stream is
 * bound to one member; a later stream of the same member takes its place.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { GroupState, PartitionKey } from './core/group-state.ts';
import { expiredMembers, type Session } from './core/sessions.ts';

/** One member's way to be told. */
export interface MemberLine {
  /** What it may hold at present, by partition the generation in which it was given. */
  assign(generation: number, partitions: ReadonlyMap<PartitionKey, number>): void;
  /** Ends the stream; the error says why. */
  end(error: HighwaterError | undefined): void;
}

interface Heard extends Session {
  line: MemberLine | undefined;
}

/** A gap between two ticks longer than this is a stall of this process, not of its members. */
const stallMs = 1_000;

export class MemberSessions {
  readonly #groups = new Map<string, Map<string, Heard>>();
  #tickedMs: number | undefined;

  /** The member is on this line from now on. */
  connect(group: string, member: string, line: MemberLine, nowMs: number): void {
    const heard = this.#of(group, member, nowMs);
    const before = heard.line;
    heard.line = line;
    heard.heardMs = nowMs;
    heard.lostMs = undefined;
    if (before !== line)
      before?.end(new HighwaterError('CANCELLED', 'the member opened another stream'));
  }

  /** A member of a group that was just loaded: it has its whole session to come back. */
  expect(group: string, member: string, nowMs: number): void {
    this.#of(group, member, nowMs);
  }

  /** The member's stream spoke. */
  heard(group: string, member: string, nowMs: number): void {
    const heard = this.#groups.get(group)?.get(member);
    if (heard !== undefined) heard.heardMs = nowMs;
  }

  /** The stream closed, if it still is the member's. */
  disconnect(group: string, member: string, line: MemberLine, nowMs: number): void {
    const heard = this.#groups.get(group)?.get(member);
    if (heard?.line !== line) return;
    heard.line = undefined;
    heard.lostMs = nowMs;
  }

  lineOf(group: string, member: string): MemberLine | undefined {
    return this.#groups.get(group)?.get(member)?.line;
  }

  /** The member is no more; its stream is told why. */
  remove(group: string, member: string, error: HighwaterError | undefined): void {
    const members = this.#groups.get(group);
    const line = members?.get(member)?.line;
    members?.delete(member);
    if (members?.size === 0) this.#groups.delete(group);
    line?.end(error);
  }

  /** Whose session is over, by group. A stall of this node is added to every session. */
  expired(groups: ReadonlyMap<string, GroupState>, nowMs: number): Map<string, string[]> {
    const gapMs = this.#tickedMs === undefined ? 0 : nowMs - this.#tickedMs;
    this.#tickedMs = nowMs;
    const expired = new Map<string, string[]>();
    for (const [name, members] of this.#groups) {
      if (gapMs > stallMs) for (const heard of members.values()) forgive(heard, gapMs);
      const group = groups.get(name);
      const gone = group === undefined ? [] : expiredMembers(group, members, nowMs);
      if (gone.length > 0) expired.set(name, gone);
    }
    return expired;
  }

  /** Ends every stream. */
  close(error: HighwaterError): void {
    const lines = Array.from(this.#groups.values(), (members) => [...members.values()]).flat();
    this.#groups.clear();
    for (const { line } of lines) line?.end(error);
  }

  #of(group: string, member: string, nowMs: number): Heard {
    let members = this.#groups.get(group);
    if (members === undefined) {
      members = new Map();
      this.#groups.set(group, members);
    }
    let heard = members.get(member);
    if (heard === undefined) {
      heard = { heardMs: nowMs, lostMs: undefined, line: undefined };
      members.set(member, heard);
    }
    return heard;
  }
}

function forgive(heard: Heard, gapMs: number): void {
  heard.heardMs += gapMs;
  if (heard.lostMs !== undefined) heard.lostMs += gapMs;
}
