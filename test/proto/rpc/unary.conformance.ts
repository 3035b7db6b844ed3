import { afterEach, describe, expect, it } from 'vitest';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { limits } from '../../../proto/model/limits.ts';
import type { RpcCallContext } from '../../../proto/ports/rpc.ts';
import { echo, unknownMethod } from './raw-methods.ts';
import { deadlineMs, failure, type RpcBed, rejection, text } from './rpc-bed.ts';
import { deferred } from './stream-probe.ts';

/** What every implementation of the RPC port does with unary calls. */
export function describeUnary(name: string, makeBed: () => RpcBed): void {
  describe(`${name}: unary calls`, () => {
    let bed: RpcBed;
    afterEach(() => bed.close());

    it('answers a request, with its headers and its bytes as they were', async () => {
      bed = makeBed();
      bed.server.unary(echo, async (request, context) =>
        Buffer.concat([request, text(`/${context.headers['x-who']}`)]),
      );
      const channel = await bed.start();
      const headers = { 'x-who': 'me' };
      const answer = await bed.settled(channel.unary(echo, text('hello'), { deadlineMs, headers }));
      expect(answer.toString()).toBe('hello/me');
    });

    it('carries an empty request and an empty answer', async () => {
      bed = makeBed();
      bed.server.unary(echo, async (request) => request);
      const channel = await bed.start();
      const answer = await bed.settled(channel.unary(echo, text(''), { deadlineMs }));
      expect(answer.length).toBe(0);
    });

    it('carries an error with its code, message, facts and outcome', async () => {
      bed = makeBed();
      bed.server.unary(echo, async () => {
        throw new HighwaterError('NOT_LEADER', 'ask 3', {
          facts: { leader: 3 },
          outcome: 'maybe-written',
        });
      });
      const channel = await bed.start();
      const error = await failure(bed, channel.unary(echo, text('x'), { deadlineMs }));
      expect(error).toMatchObject({
        code: 'NOT_LEADER',
        message: 'ask 3',
        facts: { leader: '3' },
        outcome: 'maybe-written',
      });
    });

    it('tells nothing of an unforeseen failure but INTERNAL', async () => {
      bed = makeBed();
      bed.server.unary(echo, async () => {
        throw new TypeError('/secret/path is undefined');
      });
      const channel = await bed.start();
      const error = await failure(bed, channel.unary(echo, text('x'), { deadlineMs }));
      expect(error).toMatchObject({ code: 'INTERNAL', message: 'internal error' });
    });

    it('refuses a request that cannot be decoded with INVALID_REQUEST, and nothing was written', async () => {
      bed = makeBed();
      bed.server.unary(echo, async (request) => request);
      const channel = await bed.start();
      const error = await failure(bed, channel.unary(echo, Buffer.from([0xff]), { deadlineMs }));
      expect(error).toMatchObject({ code: 'INVALID_REQUEST', outcome: 'not-written' });
    });

    it('refuses a method that the server lacks', async () => {
      bed = makeBed();
      bed.server.unary(echo, async (request) => request);
      const channel = await bed.start();
      const error = await failure(bed, channel.unary(unknownMethod, text('x'), { deadlineMs }));
      expect(error).toMatchObject({ code: 'UNSUPPORTED_VERSION', outcome: 'not-written' });
    });

    it('ends at its deadline, aborts the handler, and may have been applied', async () => {
      bed = makeBed();
      const aborted = deferred<void>();
      bed.server.unary(echo, (_request, context) => {
        context.signal.addEventListener('abort', () => aborted.resolve());
        return new Promise(() => {});
      });
      const channel = await bed.start();
      const error = await failure(bed, channel.unary(echo, text('x'), { deadlineMs: 50 }));
      expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'maybe-written' });
      await bed.settled(aborted.promise);
    });

    it('ends when its signal aborts, and aborts the handler', async () => {
      bed = makeBed();
      const started = deferred<RpcCallContext>();
      bed.server.unary(echo, (_request, context) => {
        started.resolve(context);
        return new Promise(() => {});
      });
      const channel = await bed.start();
      const giveUp = new AbortController();
      const call = rejection(channel.unary(echo, text('x'), { deadlineMs, signal: giveUp.signal }));
      const context = await bed.settled(started.promise);
      const aborted = new Promise((resolve) => {
        context.signal.addEventListener('abort', resolve);
      });
      giveUp.abort();
      expect(await bed.settled(call)).toMatchObject({
        code: 'CANCELLED',
        outcome: 'maybe-written',
      });
      await bed.settled(aborted);
    });

    it('is certain that nothing was written when nobody listens', async () => {
      bed = makeBed();
      const channel = bed.nowhere();
      const error = await failure(bed, channel.unary(echo, text('x'), { deadlineMs }));
      expect(error).toMatchObject({ code: 'CONNECTION_LOST', outcome: 'not-written' });
      await bed.settled(channel.close());
    });

    it('may have been applied when the connection breaks, even if the request was empty', async () => {
      bed = makeBed();
      const started = deferred<void>();
      bed.server.unary(echo, () => {
        started.resolve();
        return new Promise(() => {});
      });
      const channel = await bed.start();
      const call = rejection(channel.unary(echo, text(''), { deadlineMs }));
      await bed.settled(started.promise);
      bed.breakConnections();
      expect(await bed.settled(call)).toMatchObject({
        code: 'CONNECTION_LOST',
        outcome: 'maybe-written',
      });
    });

    it('refuses a message above the limit before it is sent', async () => {
      bed = makeBed();
      bed.server.unary(echo, async (request) => request);
      const channel = await bed.start();
      const huge = Buffer.alloc(limits.rpcMessageBytesMax + 1);
      const error = await failure(bed, channel.unary(echo, huge, { deadlineMs }));
      expect(error).toMatchObject({ code: 'MESSAGE_TOO_LARGE', outcome: 'not-written' });
    });

    it('goes on over a new connection after one was lost', async () => {
      bed = makeBed();
      bed.server.unary(echo, async (request) => request);
      const channel = await bed.start();
      await bed.settled(channel.unary(echo, text('a'), { deadlineMs }));
      bed.breakConnections();
      for (;;) {
        const answer = await bed.settled(
          channel.unary(echo, text('b'), { deadlineMs }).catch((error: unknown) => error),
        );
        if (Buffer.isBuffer(answer)) break;
        expect(answer).toMatchObject({ code: 'CONNECTION_LOST' });
      }
    });
  });
}
