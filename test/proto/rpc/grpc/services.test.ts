import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs/minimal.js';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../proto/ports/logger.ts';
import type { RpcCodec, RpcStreamHandlers, StreamMethod } from '../../../../proto/ports/rpc.ts';
import { healthCheck, healthWatch } from '../../../../proto/rpc/grpc/health.ts';
import { proveRopeSupport, ropeSupport } from '../../../../proto/rpc/grpc/rope-support.ts';
import { echo } from '../raw-methods.ts';
import { deadlineMs, failure } from '../rpc-bed.ts';
import { StreamProbe } from '../stream-probe.ts';
import { GrpcBed } from './grpc-bed.ts';

const schema = {
  directory: fileURLToPath(new URL('../../../../proto/schema', import.meta.url)),
  files: ['highwater/v1/produce.proto', 'highwater/v1/fetch.proto'],
};

const bytesCodec: RpcCodec<Buffer> = { encode: (bytes) => [bytes], decode: (bytes) => bytes };

function reflection(version: string): StreamMethod<Buffer, Buffer> {
  return {
    kind: 'stream',
    path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    request: bytesCodec,
    response: bytesCodec,
  };
}

describe('the standard services of a gRPC server', () => {
  let bed: GrpcBed;
  afterEach(() => bed.close());

  it('health says SERVING for the server and its services, and NOT_FOUND for others', async () => {
    bed = new GrpcBed();
    bed.server.unary(echo, async (request) => request);
    const channel = await bed.start();
    for (const service of ['', 'test.v1.Raw']) {
      expect(await channel.unary(healthCheck, { service }, { deadlineMs })).toEqual({ status: 1 });
    }
    const unknown = channel.unary(healthCheck, { service: 'nope' }, { deadlineMs });
    expect(await failure(bed, unknown)).toMatchObject({ code: 'UNKNOWN_SERVICE' });
  });

  it('health tells a watcher NOT_SERVING before the server stops, and does not hold it up', async () => {
    bed = new GrpcBed();
    const channel = await bed.start();
    const seen: number[] = [];
    let onMessage = () => {};
    const first = new Promise<void>((resolve) => {
      onMessage = resolve;
    });
    const closed = new Promise<unknown>((resolve) => {
      const handlers: RpcStreamHandlers<{ status: number }> = {
        onMessage: ({ status }) => {
          seen.push(status);
          onMessage();
        },
        onClose: resolve,
      };
      channel.stream(healthWatch, handlers).send({ service: '' });
    });
    await first;
    await bed.server.stop(60_000);
    expect(await closed).toBeUndefined();
    expect(seen).toEqual([1, 2]);
  });

  it('reflection lists the services and has the file of a symbol, in both versions', async () => {
    bed = new GrpcBed({ schema });
    bed.server.unary(echo, async (request) => request);
    const channel = await bed.start();
    for (const version of ['v1', 'v1alpha']) {
      const probe = new StreamProbe();
      const stream = channel.stream(reflection(version), probe);
      const ask = (tag: number, value: string) =>
        stream.send(Buffer.from(protobuf.Writer.create().uint32(tag).string(value).finish()));
      ask(58, '');
      ask(34, 'highwater.v1.ProduceService');
      ask(34, 'highwater.v1.ProduceRequest');
      ask(34, 'highwater.v1.Nothing');
      stream.end();
      expect(await probe.closed).toBeUndefined();
      const [services, file, message, nothing] = probe.texts();
      expect(services).toContain('test.v1.Raw');
      expect(services).toContain('grpc.health.v1.Health');
      expect(file).toContain('ProduceService');
      expect(message).toContain('ProduceRequest');
      expect(nothing).toContain('not found');
    }
  });

  it('this grpc-js frames ropes, on both sides', async () => {
    bed = new GrpcBed();
    await proveRopeSupport(silentLogger);
    expect(ropeSupport.isProven).toBe(true);
  });

  it('without ropes messages travel all the same', async () => {
    bed = new GrpcBed();
    bed.server.unary(echo, async (request) => request);
    const channel = await bed.start();
    ropeSupport.isProven = false;
    try {
      const message = Buffer.alloc(100_000, 5);
      const answer = await channel.unary(echo, message, { deadlineMs });
      expect(answer.equals(message)).toBe(true);
    } finally {
      ropeSupport.isProven = true;
    }
  });
});
