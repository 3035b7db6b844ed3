/** What a bench asks of the processes of the bare pipeline, and what they answer. */

/** The file of the next round, empty. */
export interface BeginRequest {
  readonly kind: 'begin';
  readonly path: string;
  readonly flush: 'os' | 'ack';
}

/** Reads the file of the round again. */
export interface VerifyRequest {
  readonly kind: 'verify';
  readonly path: string;
}

/** Batches found in a file, and how many of them have another checksum than their head says. */
export interface VerifyAnswer {
  readonly batches: number;
  readonly bytes: number;
  readonly damaged: number;
}

/** A leader starts to listen on both its ports; a follower dials the leader. */
export interface ConnectRequest {
  readonly kind: 'connect';
  readonly leaderPort?: number;
}

export interface ConnectAnswer {
  readonly grpcPort: number;
  readonly framePort: number;
}

export type HopRequest = ConnectRequest | BeginRequest | VerifyRequest;

/** So many batches of one size, until the last of them is acknowledged. */
export interface SendRequest {
  readonly grpcPort: number;
  readonly batchBytes: number;
  readonly count: number;
}

export interface SendAnswer {
  readonly seconds: number;
  readonly acknowledged: number;
}

/** Bytes that a producer has under way at most, here and in the benches that compare with it. */
export const inFlightBytes = 64 * 1024 * 1024;
