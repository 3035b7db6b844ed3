/**
 * When a message to a leader leaves. What is alone leaves at once; while requests are on their way, to
 * whichever leader, records gather until a message is full, the oldest has gathered long enough, or all
 * is answered. So a lone record never waits, and under load messages grow towards the size that costs
 * least per byte. A leader that is idle is no reason to hurry: without keys there is always one, and a
 * small message costs every replica a write and several frames, which later records wait for.
 */
import { limits } from '../../../proto/model/limits.ts';

/** What is on its way to one leader, and what has gathered for it. */
export interface LeaderLoad {
  readonly requestsInFlight: number;
  /** Nothing was on its way to any leader when this turn began. */
  readonly areAllIdle: boolean;
  readonly bytesInFlight: number;
  readonly batchesInFlight: number;
  /** Bytes that could leave; counted up to one message. */
  readonly bytesGathered: number;
  /** Since the oldest of them was found not to leave at once; 0 at first. */
  readonly gatheredMs: number;
}

/** More requests on their way to one leader wait for answers. */
const requestsInFlightMax = 64;
/**
 * What a batch costs each replica beside its bytes, in bytes that cost as much. Without it a producer that
 * has just been drained and has many partitions would send thousands of batches of a few records, while
 * the records behind them could still have joined them.
 */
const batchCostBytes = 64 * 1024;
/** Longer makes messages larger than needed where much is sent, and is felt where little is. */
export const gatherMsMax = 3;

/** True if a message leaves. */
export function mayLeave(load: LeaderLoad): boolean {
  if (load.bytesGathered === 0) return false;
  if (load.areAllIdle && load.requestsInFlight === 0) return true;
  if (load.requestsInFlight >= requestsInFlightMax) return false;
  // More than the stream buffers would only wait inside the transport, where nothing coalesces.
  const costInFlight = load.bytesInFlight + load.batchesInFlight * batchCostBytes;
  if (costInFlight >= 2 * limits.rpcStreamBufferBytesMax) return false;
  return load.bytesGathered >= limits.rpcMessageBytesTarget || load.gatheredMs >= gatherMsMax;
}
