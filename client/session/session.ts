/**
 * What a session has written and seen, by partition: every read carries it, and a replica that has not
 * reached it waits or sends the reader on. So a session reads its own writes and never reads backwards,
 * whichever replica answers and after any failover (rule 6.10).
 *
 * A token is the whole of it as a text, for another service to go on with. Invariant: a position is
 * replaced only by one at a greater offset. One in a later epoch at a smaller offset would hide that
 * what lay between was lost; the next read must say so with POSITION_LOST.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { isUuid, type PartitionNumber, type TopicId } from '../../proto/model/ids.ts';
import { type LeaderEpoch, leaderEpoch, type Offset, offset } from '../../proto/model/offset.ts';

/** Everything below `offset`, the last of it in `leaderEpoch`. */
export interface SessionPosition {
  readonly offset: Offset;
  readonly leaderEpoch: LeaderEpoch;
}

const tokenVersion = 1;
/** A token longer than this was not made here: it names more partitions than one session reads. */
const tokenLengthMax = 1024 * 1024;

export class Session {
  readonly #positions = new Map<string, SessionPosition>();

  /** A session that goes on where the token was taken; a fresh one without. */
  constructor(token?: string) {
    if (token !== undefined) this.merge(token);
  }

  /** How far this session has come, as a text without spaces. */
  token(): string {
    const positions = Array.from(this.#positions, ([key, at]) => [key, at.offset, at.leaderEpoch]);
    return Buffer.from(JSON.stringify([tokenVersion, positions])).toString('base64url');
  }

  /** Takes in what another session has written and seen. Throws INVALID_REQUEST if it is no token. */
  merge(token: string): void {
    for (const [key, position] of readToken(token)) this.#advance(key, position);
  }

  /** Takes note of a write that was acknowledged, or of records that were read. */
  advance(topicId: TopicId, partition: PartitionNumber, position: SessionPosition): void {
    this.#advance(`${topicId}/${partition}`, position);
  }

  /** What a read of the partition must not be behind of. */
  positionOf(topicId: TopicId, partition: PartitionNumber): SessionPosition | undefined {
    return this.#positions.get(`${topicId}/${partition}`);
  }

  /** After the loss was told: later reads of the partition start without its past. */
  forget(topicId: TopicId, partition: PartitionNumber): void {
    this.#positions.delete(`${topicId}/${partition}`);
  }

  #advance(key: string, position: SessionPosition): void {
    const known = this.#positions.get(key);
    const isFurther =
      known === undefined ||
      position.offset > known.offset ||
      (position.offset === known.offset && position.leaderEpoch > known.leaderEpoch);
    if (isFurther) this.#positions.set(key, position);
  }
}

function readToken(token: string): [string, SessionPosition][] {
  let value: unknown;
  try {
    if (token.length > tokenLengthMax) throw new Error('it is too long');
    value = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch (cause) {
    throw invalidToken(cause);
  }
  if (!Array.isArray(value) || value[0] !== tokenVersion || !Array.isArray(value[1]))
    throw invalidToken();
  return value[1].map((entry: unknown): [string, SessionPosition] => {
    if (!Array.isArray(entry) || entry.length !== 3) throw invalidToken();
    const [key, at, epoch] = entry as readonly unknown[];
    const isGood = typeof key === 'string' && isKey(key) && isCount(at) && isCount(epoch);
    if (!isGood) throw invalidToken();
    return [key, { offset: offset(at), leaderEpoch: leaderEpoch(epoch) }];
  });
}

function isKey(key: string): boolean {
  return isUuid(key.slice(0, 36)) && /^\/\d{1,9}$/.test(key.slice(36));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && typeof value === 'number' && value >= 0;
}

function invalidToken(cause?: unknown): HighwaterError {
  return new HighwaterError('INVALID_REQUEST', 'this is not a session token', { cause });
}
