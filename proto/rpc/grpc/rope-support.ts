/**
 * Finds out once whether the grpc-js at hand frames ropes as it frames buffers, on both sides, by
 * running its own framing on one. Until that is known, and if it does not, messages are joined first.
 */
import { createRequire } from 'node:module';
import type { Logger } from '../../ports/logger.ts';
import { Rope } from './rope.ts';

/** Whether ropes may be used; read at each write. */
export const ropeSupport = { isProven: false };

let proof: Promise<void> | undefined;

/** Runs the self-test at its first call; others wait for the same one. */
export function proveRopeSupport(logger: Logger): Promise<void> {
  proof ??= prove(logger);
  return proof;
}

async function prove(logger: Logger): Promise<void> {
  try {
    const [client, server] = [await framedByClient(sample()), framedByServer(sample())];
    ropeSupport.isProven = client.equals(expected) && server.equals(expected);
  } catch (error) {
    logger.debug('rpc-rope-test-failed', 'The framing test failed.', { error: String(error) });
  }
  if (!ropeSupport.isProven) {
    logger.warn('rpc-ropes-off', 'This grpc-js does not frame ropes: messages are copied twice.');
  }
}

/** Two messages, the first of two parts. */
const sample = () => new Rope([[Buffer.from('ab'), Buffer.from('c')], [Buffer.from('d')]]);
const expected = Buffer.from('\0\0\0\0\u0003abc\0\0\0\0\u0001d', 'latin1');

const requireFrom = createRequire(import.meta.url);

async function framedByClient(rope: Rope): Promise<Buffer> {
  const { CompressionFilterFactory } = requireFrom(
    '@grpc/grpc-js/build/src/compression-filter.js',
  ) as {
    CompressionFilterFactory: new (
      channel: object,
      options: object,
    ) => {
      createFilter(): {
        sendMessage(message: Promise<{ message: Rope }>): Promise<{ message: Buffer }>;
      };
    };
  };
  const filter = new CompressionFilterFactory({}, {}).createFilter();
  return (await filter.sendMessage(Promise.resolve({ message: rope }))).message;
}

function framedByServer(rope: Rope): Buffer {
  const { BaseServerInterceptingCall } = requireFrom(
    '@grpc/grpc-js/build/src/server-interceptors.js',
  ) as {
    BaseServerInterceptingCall: {
      prototype: { serializeMessage(this: object, value: Rope): Buffer };
    };
  };
  const call = { handler: { serialize: (value: Rope) => value } };
  return BaseServerInterceptingCall.prototype.serializeMessage.call(call, rope);
}
