import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../../../proto/model/limits.ts';
import { chat, echo } from '../raw-methods.ts';
import { failure, openChat, rejection, text } from '../rpc-bed.ts';
import { StreamProbe } from '../stream-probe.ts';
import { MemoryBed } from './memory-bed.ts';

const silenceMs = limits.rpcKeepaliveMs + limits.rpcKeepaliveTimeoutMs + 100;

describe('the in-memory network', () => {
  let bed: MemoryBed;
  beforeEach(() => {
    bed = new MemoryBed();
  });
  afterEach(() => bed.close());

  it('holds the packets of one direction and delivers them in order on release', async () => {
    const { client, stream, probe, server } = await openChat(bed);
    bed.network.hold('c', 's');
    for (const word of ['1', '2', '3']) stream.send(text(word));
    server.stream.send(text('the other way is open'));
    await bed.time.advance(1_000);
    expect([probe.texts(), client.texts()]).toEqual([[], ['the other way is open']]);
    bed.network.release('c', 's');
    await bed.time.advance(10);
    expect(probe.texts()).toEqual(['1', '2', '3']);
  });

  it('both ends give up a connection that is silent in one direction', async () => {
    const { client, probe } = await openChat(bed);
    bed.network.hold('s', 'c');
    await bed.time.advance(silenceMs);
    expect(await client.closed).toMatchObject({ code: 'CONNECTION_LOST' });
    expect(await probe.closed).toMatchObject({ code: 'CANCELLED' });
  });

  it('a request that was sent into a cut may have been applied when its deadline passes', async () => {
    let applied = 0;
    bed.server.unary(echo, async (request) => {
      applied++;
      return request;
    });
    const channel = await bed.start();
    await bed.settled(channel.unary(echo, text('warm'), { deadlineMs: 100 }));
    bed.network.hold('s', 'c');
    const error = await failure(bed, channel.unary(echo, text('x'), { deadlineMs: 100 }));
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'maybe-written' });
    expect(applied).toBe(2);
  });

  it('a request that never got a connection was certainly not applied', async () => {
    bed.server.unary(echo, async (request) => request);
    const channel = await bed.start();
    bed.network.hold('c', 's');
    const error = await failure(bed, channel.unary(echo, text('x'), { deadlineMs: 100 }));
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'not-written' });
  });

  it('a stream to a host that does not answer ends within a bounded time', async () => {
    const channel = await bed.start();
    bed.network.hold('c', 's');
    const probe = new StreamProbe();
    channel.stream(chat, probe);
    await bed.time.advance(limits.rpcOpenMsMax + 1);
    expect(await probe.closed).toMatchObject({ code: 'CONNECTION_LOST', outcome: 'maybe-written' });
  });

  it('the crash of a process is heard at once, the loss of a machine after its silence', async () => {
    const { client } = await openChat(bed);
    bed.serverClock.stop();
    bed.network.crash('s', true);
    await bed.time.advance(1);
    expect(client.closeCount).toBe(1);

    bed = new MemoryBed();
    const second = await openChat(bed);
    bed.serverClock.stop();
    bed.network.crash('s', false);
    await bed.time.advance(limits.rpcKeepaliveMs - 1);
    expect(second.client.closeCount).toBe(0);
    await bed.time.advance(limits.rpcKeepaliveTimeoutMs + 100);
    expect(await second.client.closed).toMatchObject({ code: 'CONNECTION_LOST' });
    expect(second.probe.closeCount).toBe(0);
  });

  it('messages take the latency of their direction', async () => {
    const { stream, probe } = await openChat(bed);
    const started = bed.time.now();
    stream.send(text('x'));
    await bed.time.runUntil(() => probe.received.length === 1, 10);
    expect(bed.time.now() - started).toBeCloseTo(0.1, 3);
  });

  it('the same calls give the same trace', async () => {
    const run = async () => {
      const one = new MemoryBed();
      one.server.unary(echo, async (request) => request);
      const channel = await one.start();
      for (const word of ['a', 'b']) {
        await one.settled(channel.unary(echo, text(word), { deadlineMs: 100 }));
      }
      const late = rejection(channel.unary(echo, text('c'), { deadlineMs: 100 }));
      one.network.disconnect('c', 's');
      const error = await one.settled(late);
      return [one.time.now(), one.time.executedCount, error.code, error.outcome];
    };
    expect(await run()).toEqual(await run());
  });
});
