/**
 * The groups of one partition of the internal topic, while this node leads it: read from its log, then
 * changed by decisions whose records go to the log.
 *
 * A decision counts for the next one at once; whoever asked hears of it when its records are committed,
 * and whatever is read here is answered after everything decided before it is. So nobody is ever told
 * something that a failover could take back. If an append fails, the shard is over and is read anew.
 */
import type { MetadataImage } from '../../proto/metadata/image.ts';
import type { ErrorCode } from '../../proto/model/errors.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import { decideExpiry } from './core/expiry.ts';
import {
  emptyGroup,
  type GroupRecord,
  type GroupState,
  type Groups,
  type PartitionKey,
  replay,
} from './core/group-state.ts';
import {
  assignmentOf,
  decideJoin,
  decideOwned,
  decideRemoval,
  decideTopicsChanged,
  type Joining,
  type Refusal,
} from './core/membership.ts';
import { type Commit, decideCommit, decideDelete } from './core/offsets.ts';
import { GroupJournal } from './group-journal.ts';
import type { GroupLog } from './group-log.ts';
import { type MemberLine, MemberSessions } from './member-sessions.ts';
import { decodeGroupRecord } from './record-codec.ts';

export interface GroupShardOptions {
  readonly log: GroupLog;
  readonly clock: Clock;
  readonly image: () => MetadataImage;
  /** Members came, went, or fell silent: for the node's log. */
  onEvent(event: GroupEvent): void;
  /** The shard is over although the node may lead on. */
  onFailed(code: ErrorCode): void;
}

/** What happened to a group. */
export interface GroupEvent {
  readonly event:
    | 'member-joined'
    | 'member-left'
    | 'member-expired'
    | 'offsets-expired'
    | 'group-deleted';
  readonly group: string;
  readonly members: readonly string[];
  readonly generation: number;
}

export class GroupShard {
  readonly #options: GroupShardOptions;
  readonly #groups: Groups = new Map();
  readonly #sessions = new MemberSessions();
  readonly #journal: GroupJournal;
  #phase: 'loading' | 'ready' | 'closed' = 'loading';

  constructor(options: GroupShardOptions) {
    this.#options = options;
    this.#journal = new GroupJournal(options.log, options.clock, (code) => {
      this.close();
      options.onFailed(code);
    });
  }

  get isReady(): boolean {
    return this.#phase === 'ready' && this.#options.log.isLed;
  }

  /** Reads the log; members that it names have their whole session to come back. */
  async load(): Promise<void> {
    await this.#options.log.load((record) => {
      const decoded = decodeGroupRecord(record.key(), record.value());
      if (decoded !== undefined) replay(this.#groups, decoded, record.timestamp);
    });
    if (this.#phase !== 'loading') return;
    this.#phase = 'ready';
    const nowMs = this.#options.clock.now();
    for (const { group, members } of this.#groups.values())
      for (const member of members.keys()) this.#sessions.expect(group, member, nowMs);
    this.topicsChanged();
  }

  /** Refuses everything from now on; members are sent to look for the next coordinator. */
  close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    const error = new HighwaterError(
      'NOT_COORDINATOR',
      'this broker no longer coordinates the group',
    );
    this.#journal.close(error);
    this.#sessions.close(error);
  }

  /** A member's stream says who it is. Throws if that is not possible. */
  join(group: string, joining: Joining, line: MemberLine): void {
    this.#throwUnlessReady();
    const state = this.#groups.get(group) ?? emptyGroup(group);
    const isMember = state.members.has(joining.member);
    const records = recordsOf(decideJoin(state, joining, this.#options.image()));
    this.#sessions.connect(group, joining.member, line, this.#options.clock.now());
    if (!isMember) this.#tell('member-joined', state, [joining.member]);
    if (records.length > 0) this.#commit(group, records);
    else this.#journal.append([], this.#assignment(group, joining.member));
  }

  /** A member says what it holds. */
  owned(
    group: string,
    owned: {
      readonly member: string;
      readonly generation: number;
      readonly partitions: ReadonlySet<PartitionKey>;
    },
  ): void {
    this.heard(group, owned.member);
    const state = this.#ready(group);
    if (state === undefined) return;
    this.#commit(group, decideOwned(state, owned, this.#options.image()).records);
  }

  heard(group: string, member: string): void {
    this.#sessions.heard(group, member, this.#options.clock.now());
  }

  leave(group: string, member: string): void {
    const state = this.#ready(group);
    if (state?.members.has(member) !== true) return;
    this.#tell('member-left', state, [member]);
    this.#sessions.remove(group, member, undefined);
    this.#commit(group, decideRemoval(state, [member], this.#options.image()).records);
  }

  disconnected(group: string, member: string, line: MemberLine): void {
    this.#sessions.disconnect(group, member, line, this.#options.clock.now());
  }

  /** Ends the sessions that are over. */
  tick(): void {
    if (!this.isReady) return;
    const error = new HighwaterError('UNKNOWN_MEMBER', 'the session of this member has ended');
    for (const [group, members] of this.#sessions.expired(
      this.#groups,
      this.#options.clock.now(),
    )) {
      const state = this.#groups.get(group);
      if (state === undefined) continue;
      this.#tell('member-expired', state, members);
      for (const member of members) this.#sessions.remove(group, member, error);
      this.#commit(group, decideRemoval(state, members, this.#options.image()).records);
    }
  }

  /** Lets go of offsets that nobody came back for. */
  expire(retentionMs: number): void {
    if (!this.isReady || this.#journal.isFull) return;
    const times = { nowMs: this.#options.clock.wall(), retentionMs };
    const { topics } = this.#options.image();
    for (const state of this.#groups.values()) {
      const records = decideExpiry(state, topics, times);
      if (records.length > 0) this.#tell('offsets-expired', state, []);
      this.#commit(state.group, records);
    }
  }

  /** Topics came, went or grew. */
  topicsChanged(): void {
    if (!this.isReady) return;
    for (const state of this.#groups.values())
      this.#commit(state.group, decideTopicsChanged(state, this.#options.image()).records);
  }

  /** Resolves to what became of each offset, once the good ones are committed. */
  async commit(group: string, commit: Commit): Promise<readonly (ErrorCode | undefined)[]> {
    this.#throwUnlessReady();
    const decision = decideCommit(this.#groups.get(group) ?? emptyGroup(group), commit);
    await this.#committed(group, decision.records);
    return decision.refusals;
  }

  /** What `pick` takes from a group as it is here, told once all of it is committed. */
  async read<Picked>(
    group: string,
    pick: (state: GroupState | undefined) => Picked,
  ): Promise<Picked> {
    this.#throwUnlessReady();
    const picked = pick(this.#groups.get(group));
    await this.#committed(group, []);
    return picked;
  }

  /** The same of every group here. */
  async readAll<Picked>(pick: (state: GroupState) => Picked): Promise<Picked[]> {
    this.#throwUnlessReady();
    const picked = Array.from(this.#groups.values(), pick);
    await this.#committed('', []);
    return picked;
  }

  async delete(group: string): Promise<void> {
    this.#throwUnlessReady();
    const state = this.#groups.get(group);
    if (state === undefined)
      throw new HighwaterError('UNKNOWN_GROUP', `no group ${JSON.stringify(group)}`);
    const records = recordsOf(decideDelete(state));
    this.#tell('group-deleted', state, []);
    await this.#committed(group, records);
  }

  #committed(group: string, records: readonly GroupRecord[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#commit(group, records, (error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  }

  /** Applies a decision; members whose assignment it changes hear of it once it is committed. */
  #commit(
    group: string,
    records: readonly GroupRecord[],
    done?: (error: HighwaterError | undefined) => void,
  ): void {
    if (records.length === 0 && done === undefined) return;
    const nowMs = this.#options.clock.wall();
    for (const record of records) {
      replay(this.#groups, record, nowMs);
      if (record.kind === 'member-removed') this.#replaced(group, record.member);
    }
    const tell = records.flatMap((record) =>
      record.kind === 'member' ? [this.#assignment(group, record.member.member)] : [],
    );
    this.#journal.append(records, (error) => {
      for (const one of tell) one(error);
      done?.(error);
    });
  }

  /** A static member was started again under another id: the old process is told that it is over. */
  #replaced(group: string, member: string): void {
    const message = 'another process took the place of this member';
    this.#sessions.remove(
      group,
      member,
      new HighwaterError('UNKNOWN_MEMBER', message, { facts: { replaced: true } }),
    );
  }

  /** Tells a member what it may hold as of this moment; to be called once that is committed. */
  #assignment(group: string, name: string): (error: HighwaterError | undefined) => void {
    const state = this.#groups.get(group);
    const member = state?.members.get(name);
    if (state === undefined || member === undefined) return () => undefined;
    const { generation } = state;
    const partitions = assignmentOf(member);
    return (error) => {
      if (error === undefined) this.#sessions.lineOf(group, name)?.assign(generation, partitions);
    };
  }

  #tell(event: GroupEvent['event'], { group, generation }: GroupState, members: string[]): void {
    this.#options.onEvent({ event, group, members, generation });
  }

  #ready(group: string): GroupState | undefined {
    return this.isReady ? this.#groups.get(group) : undefined;
  }

  #throwUnlessReady(): void {
    if (this.#phase === 'loading')
      throw new HighwaterError('COORDINATOR_LOADING', 'the group log is being read');
    if (!this.isReady)
      throw new HighwaterError('NOT_COORDINATOR', 'this broker does not lead the group log');
    if (this.#journal.isFull)
      throw new HighwaterError(
        'OVERLOADED',
        'too many changes of groups wait for their commitment',
      );
  }
}

function recordsOf(
  decision: { readonly kind: 'decided'; readonly records: readonly GroupRecord[] } | Refusal,
): readonly GroupRecord[] {
  if (decision.kind === 'refused') throw new HighwaterError(decision.code, decision.message);
  return decision.records;
}
