/**
 * When a message to a leader leaves. An idle leader gets what there is at once; while requests are on
 * their way records gather, until a message is full or the oldest has gathered long enough. So a lone
 * record never waits, and under load messages grow to the size that costs least per byte.
 */
import { limits } from '../../../proto/model/limits.ts';

/** What is on its way to one leader, and what has gathered for it. */
export interface LeaderLoad {
  readonly requestsInFlight: number;
  readonly bytesInFlight: number;
  /** Bytes that could leave; counted up to one message. */
  readonly bytesGathered: number;
  /** Since the last message left. */
  readonly gatheredMs: number;
}

/** More requests on their way to one leader wait for answers. */
const requestsInFlightMax = 64;
/** A slow partition must not hold the others of its leader for longer. */
export const gatherMsMax = 5;

/** True if a message leaves. */
export function mayLeave(load: LeaderLoad): boolean {
  if (load.bytesGathered === 0) return false;
  if (load.requestsInFlight === 0) return true;
  if (load.requestsInFlight >= requestsInFlightMax) return false;
  // More than the stream buffers would only wait inside the transport, where nothing coalesces.
  if (load.bytesInFlight >= 2 * limits.rpcStreamBufferBytesMax) return false;
  return load.bytesGathered >= limits.rpcMessageBytesTarget || load.gatheredMs >= gatherMsMax;
}
