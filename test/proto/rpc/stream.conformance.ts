import { afterEach, describe, expect, it } from 'vitest';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { limits } from '../../../proto/model/limits.ts';
import { chat } from './raw-methods.ts';
import { openChat, type RpcBed, text } from './rpc-bed.ts';
import { StreamProbe } from './stream-probe.ts';

/** What every implementation of the RPC port does with streams. */
export function describeStreams(name: string, makeBed: () => RpcBed): void {
  describe(`${name}: streams`, () => {
    let bed: RpcBed;
    afterEach(() => bed.close());

    it('carry messages both ways in order and end in order', async () => {
      const { client, stream, probe, server } = await openChat((bed = makeBed()));
      probe.react = (message) => server.stream.send(text(`re ${message?.toString()}`));
      for (const word of ['a', 'bb', '', 'dddd']) stream.send(text(word));
      stream.end();
      expect(await bed.settled(client.closed)).toBeUndefined();
      expect(await bed.settled(probe.closed)).toBeUndefined();
      expect(probe.texts()).toEqual(['a', 'bb', '', 'dddd']);
      expect(client.texts()).toEqual(['re a', 're bb', 're ', 're dddd']);
      expect(server.context.headers['authorization']).toBe('Bearer t');
      expect([client.closeCount, probe.closeCount]).toEqual([1, 1]);
    });

    it('deliver the bytes of large and small messages unchanged, many at a time', async () => {
      const { client, stream, probe, server } = await openChat((bed = makeBed()));
      probe.react = (message) => {
        if (message !== undefined) server.stream.send(message);
      };
      const sizes = [0, 1, 3, 16_384, 100_000, 1_000_000, 7, 300_000, 2];
      const sent = sizes.map((size, index) => Buffer.alloc(size, 1 + index));
      for (const message of sent) stream.send(message);
      stream.end();
      expect(await bed.settled(client.closed)).toBeUndefined();
      expect(client.received.length).toBe(sent.length);
      for (const [index, message] of sent.entries()) {
        expect(client.received[index]?.equals(message)).toBe(true);
      }
    });

    it('tell when a message has left: its memory may hold something else from then on', async () => {
      const { client, server } = await openChat((bed = makeBed()));
      const memory = Buffer.alloc(400_000);
      const count = 30;
      let next = 0;
      const sendNext = (): void => {
        if (next === count) {
          server.stream.end();
          return;
        }
        memory.fill(1 + next++);
        server.stream.send(memory, sendNext);
      };
      sendNext();
      expect(await bed.settled(client.closed)).toBeUndefined();
      expect(client.received).toHaveLength(count);
      for (const [index, message] of client.received.entries()) {
        expect(message.equals(Buffer.alloc(memory.length, 1 + index))).toBe(true);
      }
    });

    it('let a server tell when the caller has ended, and answer after it', async () => {
      bed = makeBed();
      bed.server.stream(chat, (stream) => ({
        onMessage() {},
        onEnd() {
          stream.send(text('bye'));
          stream.end();
        },
        onClose() {},
      }));
      const channel = await bed.start();
      const client = new StreamProbe();
      channel.stream(chat, client).end();
      expect(await bed.settled(client.closed)).toBeUndefined();
      expect(client.texts()).toEqual(['bye']);
    });

    it('end for both sides when the server ends, after what it had queued', async () => {
      const { client, probe, server } = await openChat((bed = makeBed()));
      server.stream.send(text('last'));
      server.stream.end();
      server.stream.send(text('ignored'));
      expect(await bed.settled(client.closed)).toBeUndefined();
      expect(await bed.settled(probe.closed)).toBeUndefined();
      expect(client.texts()).toEqual(['last']);
    });

    it('carry the error of a server that cancels', async () => {
      const { client, probe, server } = await openChat((bed = makeBed()));
      server.stream.cancel(new HighwaterError('STALE_GENERATION', 'g 4', { facts: { g: 4 } }));
      expect(await bed.settled(client.closed)).toMatchObject({
        code: 'STALE_GENERATION',
        facts: { g: '4' },
      });
      expect(await bed.settled(probe.closed)).toMatchObject({ code: 'STALE_GENERATION' });
    });

    it('tell a server that its caller cancelled, and abort its signal', async () => {
      const { client, stream, probe, server } = await openChat((bed = makeBed()));
      stream.cancel();
      stream.send(text('ignored'));
      expect(await bed.settled(client.closed)).toMatchObject({ code: 'CANCELLED' });
      expect(await bed.settled(probe.closed)).toMatchObject({ code: 'CANCELLED' });
      expect(server.context.signal.aborted).toBe(true);
    });

    it('end with INVALID_REQUEST at a message that cannot be decoded', async () => {
      const { client, stream, probe } = await openChat((bed = makeBed()));
      stream.send(text('good'));
      stream.send(Buffer.from([0xff, 1]));
      stream.send(text('never'));
      expect(await bed.settled(client.closed)).toMatchObject({ code: 'INVALID_REQUEST' });
      expect(await bed.settled(probe.closed)).toMatchObject({ code: 'INVALID_REQUEST' });
      expect(probe.texts()).toEqual(['good']);
    });

    it('end with INTERNAL and no details when a handler of the server throws', async () => {
      const { client, stream, probe } = await openChat((bed = makeBed()));
      probe.react = () => {
        throw new TypeError('/secret/path');
      };
      stream.send(text('x'));
      expect(await bed.settled(client.closed)).toMatchObject({
        code: 'INTERNAL',
        message: 'internal error',
      });
    });

    it('end on both sides when the connection breaks', async () => {
      const { client, probe } = await openChat((bed = makeBed()));
      bed.breakConnections();
      expect(await bed.settled(client.closed)).toMatchObject({ code: 'CONNECTION_LOST' });
      expect(await bed.settled(probe.closed)).toMatchObject({ code: 'CANCELLED' });
    });

    it('end with CONNECTION_LOST where nobody listens', async () => {
      bed = makeBed();
      const channel = bed.nowhere();
      const client = new StreamProbe();
      channel.stream(chat, client);
      expect(await bed.settled(client.closed)).toMatchObject({
        code: 'CONNECTION_LOST',
        outcome: 'not-written',
      });
      await bed.settled(channel.close());
    });

    it('hold back a sender whose reader has paused, and let it go on afterwards', async () => {
      const { client, stream, probe, server } = await openChat((bed = makeBed()));
      server.stream.pause();
      const message = Buffer.alloc(256 * 1024, 7);
      let sent = 0;
      while (stream.send(message)) sent++;
      sent++;
      expect(sent * message.length).toBeGreaterThanOrEqual(limits.rpcStreamBufferBytesMax);
      expect(sent * message.length).toBeLessThanOrEqual(
        limits.rpcStreamBufferBytesMax + message.length,
      );
      // Another round: whatever left for the peer's window, the bound holds again.
      for (let round = 0; round < 20 && client.drainCount === 0; round++) {
        await bed.settled(new Promise<void>((resolve) => bed.later(resolve)));
      }
      expect(probe.received.length).toBeLessThanOrEqual(1);
      server.stream.resume();
      const total = sent * message.length;
      await bed.settled(probe.until(() => probe.receivedBytes === total));
      await bed.settled(client.until(() => client.drainCount === 1));
    });

    it('deliver nothing while paused, and the rest in order after it', async () => {
      const { stream, probe, server } = await openChat((bed = makeBed()));
      probe.react = (message) => {
        if (message?.toString() === '1') {
          server.stream.pause();
          bed.later(() => {
            expect(probe.texts()).toEqual(['0', '1']);
            server.stream.resume();
          });
        }
      };
      for (let index = 0; index < 6; index++) stream.send(text(String(index)));
      await bed.settled(probe.until(() => probe.received.length === 6));
      expect(probe.texts()).toEqual(['0', '1', '2', '3', '4', '5']);
    });
  });
}
