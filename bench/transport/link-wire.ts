/** What both contenders of the link's bench send: a request, then so many messages of one size. */
import { randomPayloads } from '../harness/payload.ts';

/** Bytes of the small encoded header of each message. */
export const messageHeaderBytes = 24;
/** Bytes of messages that leave in one write, and the most that waits to be taken by the machine. */
export const batchBytes = 1024 * 1024;

export interface Go {
  readonly messageBytes: number;
  readonly count: number;
}

export const goBytes = 8;

export function encodeGo(go: Go): Buffer {
  const bytes = Buffer.alloc(goBytes);
  bytes.writeUInt32BE(go.messageBytes, 0);
  bytes.writeUInt32BE(go.count, 4);
  return bytes;
}

export function decodeGo(bytes: Buffer): Go {
  return { messageBytes: bytes.readUInt32BE(0), count: bytes.readUInt32BE(4) };
}

/** Random payloads of one size, 16 MiB of them, used in turn. */
export function createPayloads(): (messageBytes: number, index: number) => Buffer {
  const bySize = new Map<number, readonly Buffer[]>();
  return (messageBytes, index) => {
    let payloads = bySize.get(messageBytes);
    if (payloads === undefined) {
      payloads = randomPayloads(Math.ceil((16 * 1024 * 1024) / messageBytes), messageBytes);
      bySize.set(messageBytes, payloads);
    }
    const payload = payloads[index % payloads.length];
    if (payload === undefined) throw new Error('there is always a payload');
    return payload;
  };
}
