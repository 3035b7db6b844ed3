/**
 * Appends of a shard: what one turn decides leaves as one batch, and a decision about members is never cut
 * in two, so a replay sees all of it or nothing. Callbacks run in the order of the decisions.
 *
 * Invariant: after a failure nothing more is appended or called back as committed; the shard is to be
 * read anew, since some of what failed may be in the log all the same.
 */
import type { ErrorCode } from '../../proto/model/errors.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { limits } from '../../proto/model/limits.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import { BatchBuilder } from '../../proto/wire/batch-builder.ts';
import type { GroupRecord } from './core/group-state.ts';
import type { GroupLog } from './group-log.ts';
import { encodeGroupRecord, type StoredRecord } from './record-codec.ts';

/** Called once: without an error when everything decided so far is committed. */
export type Committed = (error: HighwaterError | undefined) => void;

interface Entry {
  readonly records: readonly StoredRecord[];
  readonly done: Committed;
}

/** Room that a record takes beside key and value, at most. */
const recordOverhead = 64;
/** Bytes that wait for their commitment; beyond it decisions are OVERLOADED. */
const pendingBytesMax = 32 * 1024 * 1024;
/** Offsets of one part: with the longest notes they fit into one batch. */
const partMax = 500;
/** Facts that mean the same if what was decided with them is not there yet; the head of a group goes last. */
const apart: ReadonlySet<GroupRecord['kind']> = new Set([
  'offset',
  'offset-removed',
  'head-removed',
]);

export class GroupJournal {
  readonly #log: GroupLog;
  readonly #clock: Clock;
  readonly #onFailure: (code: ErrorCode) => void;
  #collected: Entry[] = [];
  readonly #flights: Committed[][] = [];
  #pendingBytes = 0;
  #failure: HighwaterError | undefined;

  constructor(log: GroupLog, clock: Clock, onFailure: (code: ErrorCode) => void) {
    this.#log = log;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Too much waits for its commitment: nothing more is to be decided. */
  get isFull(): boolean {
    return this.#pendingBytes > pendingBytesMax;
  }

  /** Appends the records of one decision; with none, calls back once all earlier ones are committed. */
  append(records: readonly GroupRecord[], done: Committed): void {
    if (this.#failure !== undefined) {
      done(this.#failure);
      return;
    }
    const last = this.#flights.at(-1);
    if (records.length === 0 && this.#collected.length === 0) {
      if (last === undefined) done(undefined);
      else last.push(done);
      return;
    }
    if (this.#collected.length === 0) this.#clock.soon(() => this.#flush());
    const parts = partsOf(records);
    parts.forEach((part, at) =>
      this.#collected.push({
        records: part.map(encodeGroupRecord),
        done: at === parts.length - 1 ? done : () => undefined,
      }),
    );
  }

  /** Fails everything that is not committed. */
  close(error: HighwaterError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const waiting = [...this.#flights.flat(), ...this.#collected.map((entry) => entry.done)];
    this.#flights.length = 0;
    this.#collected = [];
    for (const done of waiting) done(error);
  }

  #flush(): void {
    const entries = this.#collected;
    this.#collected = [];
    let builder = new BatchBuilder({ bytesMax: limits.batchBytesMax });
    let dones: Committed[] = [];
    for (const { records, done } of entries) {
      const bytes = records.reduce((sum, record) => sum + bytesOf(record), 0);
      if (builder.recordCount > 0 && builder.byteLength + bytes > limits.batchBytesMax) {
        this.#send(builder, dones);
        builder = new BatchBuilder({ bytesMax: limits.batchBytesMax });
        dones = [];
      }
      dones.push(done);
      for (const { key, value } of records) {
        if (builder.append(this.#clock.wall(), key, value)) continue;
        this.#flights.push(dones);
        this.#fail('RECORD_TOO_LARGE');
        return;
      }
    }
    this.#send(builder, dones);
  }

  #send(builder: BatchBuilder, dones: Committed[]): void {
    if (this.#failure !== undefined) {
      for (const done of dones) done(this.#failure);
      return;
    }
    this.#flights.push(dones);
    if (builder.recordCount === 0) {
      // Only barriers: they wait for what is under way.
      this.#flights.pop();
      for (const done of dones) this.append([], done);
      return;
    }
    const batch = builder.seal();
    this.#pendingBytes += batch.length;
    this.#log.append(batch, (failure) => {
      this.#pendingBytes -= batch.length;
      if (failure !== undefined) this.#fail(failure);
      else if (this.#failure === undefined) this.#land();
    });
  }

  /** Batches are acknowledged in the order in which they were appended. */
  #land(): void {
    for (const done of this.#flights.shift() ?? []) done(undefined);
  }

  #fail(code: ErrorCode): void {
    if (this.#failure !== undefined) return;
    this.close(
      new HighwaterError('NOT_COORDINATOR', 'the group log did not take the change', {
        outcome: 'maybe-written',
        facts: { cause: code },
      }),
    );
    this.#onFailure(code);
  }
}

/** Offsets stand each for itself, and any number of them may be committed or removed together. */
function partsOf(records: readonly GroupRecord[]): readonly (readonly GroupRecord[])[] {
  const isWhole = records.some(({ kind }) => !apart.has(kind));
  if (isWhole || records.length <= partMax) return [records];
  const parts: (readonly GroupRecord[])[] = [];
  for (let at = 0; at < records.length; at += partMax) parts.push(records.slice(at, at + partMax));
  return parts;
}

function bytesOf({ key, value }: StoredRecord): number {
  return key.length + (value?.length ?? 0) + recordOverhead;
}
