import { afterEach, describe, expect, it } from 'vitest';
import { chat, echo } from './raw-methods.ts';
import { deadlineMs, failure, openChat, type RpcBed, rejection, text } from './rpc-bed.ts';
import { deferred, StreamProbe } from './stream-probe.ts';

/** What every implementation of the RPC port does with channels and servers that close. */
export function describeClosing(name: string, makeBed: () => RpcBed): void {
  describe(`${name}: closing`, () => {
    let bed: RpcBed;
    afterEach(() => bed.close());

    it('a channel that closes fails everything open with CLOSED, and always returns', async () => {
      const { channel, client, probe } = await openChat((bed = makeBed()));
      await bed.settled(channel.close());
      expect(client.closeCount).toBe(1);
      expect(await client.closed).toMatchObject({ code: 'CLOSED', outcome: 'maybe-written' });
      expect(await bed.settled(probe.closed)).toMatchObject({ code: 'CANCELLED' });
      const error = await failure(bed, channel.unary(echo, text('x'), { deadlineMs }));
      expect(error).toMatchObject({ code: 'CLOSED', outcome: 'not-written' });
      const late = new StreamProbe();
      channel.stream(chat, late).send(text('x'));
      expect(await bed.settled(late.closed)).toMatchObject({ code: 'CLOSED' });
      await bed.settled(channel.close());
    });

    it('a server that stops lets a call finish within its grace and refuses later ones', async () => {
      bed = makeBed();
      const started = deferred<void>();
      const release = deferred<void>();
      bed.server.unary(echo, async (request) => {
        started.resolve();
        await release.promise;
        return request;
      });
      const channel = await bed.start();
      const call = channel.unary(echo, text('kept'), { deadlineMs });
      await bed.settled(started.promise);
      const stopped = bed.server.stop(2_000);
      const late = rejection(channel.unary(echo, text('late'), { deadlineMs }));
      release.resolve();
      expect((await bed.settled(call)).toString()).toBe('kept');
      const error = await bed.settled(late);
      expect(['SHUTTING_DOWN', 'CONNECTION_LOST']).toContain(error.code);
      await bed.settled(stopped);
    });

    it('a server that stops ends what outlasts its grace with SHUTTING_DOWN', async () => {
      const { client, probe } = await openChat((bed = makeBed()));
      await bed.settled(bed.server.stop(20));
      expect(await bed.settled(client.closed)).toMatchObject({ code: 'SHUTTING_DOWN' });
      expect(await bed.settled(probe.closed)).toMatchObject({ code: 'SHUTTING_DOWN' });
    });
  });
}
