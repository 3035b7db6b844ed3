/**
 * Waits until what was written before has reached a stronger level: an early ack first, certainty
 * later. Judged under the epoch of the receipt only: in another epoch the records may be others.
 */
import type {
  AwaitStoredRequest,
  AwaitStoredResponse,
} from '../../proto/generated/highwater/v1/produce.ts';
import { errorTable, HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { ProduceResult } from '../replication/core/effects.ts';
import type { Leader } from '../replication/core/state.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';
import { movedWithin } from './moved-within.ts';

const waitMsMax = 120_000;
/** Stored ends of followers move without the watermark: they are looked at this often. */
const lookMs = 10;

/** Resolves when the level is reached or the time has ended. */
export function awaitStored(
  replica: PartitionDriver,
  request: AwaitStoredRequest,
  clock: Clock,
): Promise<AwaitStoredResponse> {
  const deadlineMs = clock.now() + Math.min(request.timeoutMs, waitMsMax);
  const isSemiSync = request.replicas === 0 && request.acks === 'semi-sync';
  return isSemiSync
    ? awaitSemiSync(replica, request, deadlineMs)
    : watchStored(replica, request, deadlineMs, clock);
}

/**
 * The level needs its members committed before it counts them, or the next election would not ask them
 * (rule 6.5): it is waited for as a write at this level is.
 */
async function awaitSemiSync(
  replica: PartitionDriver,
  request: AwaitStoredRequest,
  deadlineMs: number,
): Promise<AwaitStoredResponse> {
  const { endOffset } = request;
  leaderOf(replica, request);
  const result = await new Promise<ProduceResult>((resolve) =>
    replica.awaitLevel(endOffset, { acks: 'semi-sync', deadlineMs }, resolve),
  );
  if (result.kind === 'acknowledged') {
    const { storedBy, isrSize, isDegraded } = result.receipt;
    return { reached: !isDegraded, storedBy: [...storedBy], isrSize };
  }
  const leader = leaderOf(replica, request);
  if (result.code !== 'SEMI_SYNC_TIMEOUT')
    throw new HighwaterError(result.code, errorTable[result.code].meaning);
  const storedBy = holders(replica, leader, request);
  return { reached: false, storedBy, isrSize: leader.committed.isr.length };
}

async function watchStored(
  replica: PartitionDriver,
  request: AwaitStoredRequest,
  deadlineMs: number,
  clock: Clock,
): Promise<AwaitStoredResponse> {
  for (;;) {
    const leader = leaderOf(replica, request);
    const storedBy = holders(replica, leader, request);
    const answer = { storedBy, isrSize: leader.committed.isr.length };
    if (isReached(replica, storedBy, request)) return { reached: true, ...answer };
    const leftMs = deadlineMs - clock.now();
    if (leftMs <= 0) return { reached: false, ...answer };
    await movedWithin(replica, clock, Math.min(leftMs, lookMs));
  }
}

function leaderOf(replica: PartitionDriver, request: AwaitStoredRequest): Leader {
  const { role } = replica.state;
  if (role.kind === 'leader' && role.epoch === request.leaderEpoch) return role;
  if (
    role.kind === 'leader' &&
    replica.watermark >= request.endOffset &&
    role.epoch > request.leaderEpoch
  ) {
    throw new HighwaterError(
      'LEADERSHIP_LOST',
      'the leader changed since the receipt; the records may have been replaced',
      {
        facts: { leaderEpoch: role.epoch, receiptEpoch: request.leaderEpoch },
      },
    );
  }
  throw new HighwaterError('NOT_LEADER', 'only the leader knows who has stored it');
}

/** The leader first. */
function holders(replica: PartitionDriver, leader: Leader, request: AwaitStoredRequest): NodeId[] {
  const { self, log } = replica.state;
  const found: NodeId[] = log.stored >= request.endOffset ? [self] : [];
  for (const [node, { storedEnd }] of leader.followers)
    if (storedEnd !== undefined && storedEnd >= request.endOffset) found.push(node);
  return found;
}

function isReached(
  replica: PartitionDriver,
  storedBy: readonly NodeId[],
  request: AwaitStoredRequest,
): boolean {
  if (request.replicas > 0) return storedBy.length >= request.replicas;
  switch (request.acks) {
    case 'none':
      return true;
    case 'leader':
      return storedBy.includes(replica.state.self);
    case 'semi-sync':
    case 'all':
    case 'unspecified':
      return replica.watermark >= request.endOffset;
  }
}
