/** What every implementation of the peer link does alike: frames, streams and credit. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../../proto/model/limits.ts';
import { acceptAll, type LinkWorld, recorder } from './link-world.ts';

const MiB = 1024 * 1024;

export function describeStreams(name: string, create: () => LinkWorld | Promise<LinkWorld>): void {
  describe(`streams of the peer link over ${name}`, () => {
    let world: LinkWorld;
    beforeEach(async () => {
      world = await create();
    });
    afterEach(async () => {
      await world.close();
    });

    test('a stream carries frames both ways, in order and whole', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      const accepted = acceptAll(b, 'control');
      const seen = recorder(() => stream);
      const stream = a.endpoint.open(b.address, 'control', seen);
      const payloads = [0, 1, 100, 5_000, 70_000, 600_000].map((size) => randomBytes(size));
      payloads.forEach((payload, index) => stream.send(Buffer.from(`h${index}`), [payload]));
      await world.until(() => accepted[0]?.seen.frames.length === payloads.length);
      const far = accepted[0];
      expect(far?.seen.frames.map((frame) => frame.header)).toEqual(
        payloads.map((_, index) => `h${index}`),
      );
      far?.seen.frames.forEach((frame, index) => {
        expect(frame.payload.equals(payloads[index] ?? Buffer.alloc(0))).toBe(true);
      });
      far?.stream.send(Buffer.from('answer'), [Buffer.from('in '), Buffer.from('parts')]);
      await world.until(() => seen.frames.length === 1);
      expect(seen.frames[0]?.payload.toString()).toBe('in parts');
    });

    test('a sender is told when a frame has left: its memory may hold something else then', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      const accepted = acceptAll(b, 'replication');
      const stream = a.endpoint.open(b.address, 'replication', recorder());
      const memory = Buffer.alloc(600_000);
      const count = 30;
      let next = 0;
      const sendNext = (): void => {
        if (next === count) return;
        memory.fill(1 + next++);
        stream.send(Buffer.of(1), [memory.subarray(0, 100), memory.subarray(100)], sendNext);
      };
      sendNext();
      await world.until(() => accepted[0]?.seen.frames.length === count);
      for (const [index, { payload }] of (accepted[0]?.seen.frames ?? []).entries()) {
        expect(payload.equals(Buffer.alloc(memory.length, 1 + index))).toBe(true);
      }
    });

    test('both sides learn who the other is', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      const accepted = acceptAll(b, 'raft');
      const seen = recorder();
      a.endpoint.open(b.address, 'raft', seen);
      await world.until(() => accepted.length === 1 && seen.opened.length === 1);
      expect(accepted[0]?.peer).toEqual(a.identity);
      expect(seen.opened[0]).toEqual(b.identity);
    });

    test('a payload is private: it keeps no more memory alive than its own', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      const accepted = acceptAll(b, 'replication');
      const stream = a.endpoint.open(b.address, 'replication', recorder());
      for (let index = 0; index < 40; index++) stream.send(Buffer.of(1), [randomBytes(5_000)]);
      await world.until(() => accepted[0]?.seen.frames.length === 40);
      for (const { payload } of accepted[0]?.seen.frames ?? []) {
        expect(payload.buffer.byteLength).toBe(5_000);
      }
    });

    test('streams opened while the link is down wait for it and share it', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      const accepted = { raft: acceptAll(b, 'raft'), control: acceptAll(b, 'control') };
      const ups: number[] = [];
      b.endpoint.watch({ onUp: (peer) => ups.push(peer.nodeId), onDown() {} });
      a.endpoint.open(b.address, 'raft', recorder()).send(Buffer.from('r'));
      a.endpoint.open(b.address, 'control', recorder()).send(Buffer.from('c'));
      await world.until(
        () =>
          accepted.raft[0]?.seen.frames.length === 1 &&
          accepted.control[0]?.seen.frames.length === 1,
      );
      expect(ups).toEqual([1]);
    });

    test('two nodes that dial each other at once both get their streams', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      const [atA, atB] = [acceptAll(a, 'raft'), acceptAll(b, 'raft')];
      a.endpoint.open(b.address, 'raft', recorder()).send(Buffer.from('from a'));
      b.endpoint.open(a.address, 'raft', recorder()).send(Buffer.from('from b'));
      await world.until(() => atA[0]?.seen.frames.length === 1 && atB[0]?.seen.frames.length === 1);
      expect(atA[0]?.seen.frames[0]?.header).toBe('from b');
      expect(atB[0]?.seen.frames[0]?.header).toBe('from a');
    });

    test('a node talks to itself over the same port', async () => {
      const a = await world.node(1);
      const accepted = acceptAll(a, 'control');
      const seen = recorder();
      const stream = a.endpoint.open(a.address, 'control', seen);
      stream.send(Buffer.from('hello'), [Buffer.from('self')]);
      await world.until(() => accepted[0]?.seen.frames.length === 1);
      accepted[0]?.stream.close();
      await world.until(() => seen.closed.length === 1);
      expect(seen.closed).toEqual(['closed']);
    });

    test('credit stops the sender until the receiver has consumed', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      const accepted = acceptAll(b, 'replication', { consume: false });
      const seen = recorder();
      const stream = a.endpoint.open(b.address, 'replication', seen);
      const piece = Buffer.alloc(MiB);
      let sent = 1;
      while (stream.send(Buffer.of(1), [piece])) sent += 1;
      expect(sent).toBe(limits.linkStreamCreditBytes / MiB);
      for (let extra = 0; extra < 4; extra++) stream.send(Buffer.of(1), [piece]);
      await world.until(() => accepted[0]?.seen.frames.length === sent);
      await world.settle();
      expect(accepted[0]?.seen.frames.length).toBe(sent);
      expect(seen.drains).toBe(0);
      accepted[0]?.stream.consumed(limits.linkStreamCreditBytes);
      await world.until(() => accepted[0]?.seen.frames.length === sent + 4 && seen.drains === 1);
    });

    test('a stream without credit does not hold up another one of the link', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      const stuck = acceptAll(b, 'replication', { consume: false });
      const accepted = acceptAll(b, 'raft');
      const bulk = a.endpoint.open(b.address, 'replication', recorder());
      const raft = a.endpoint.open(b.address, 'raft', recorder());
      const pieces = limits.linkStreamCreditBytes / MiB;
      for (let count = 0; count < pieces + 4; count++) {
        bulk.send(Buffer.of(1), [Buffer.alloc(MiB)]);
      }
      raft.send(Buffer.from('vote'));
      await world.until(() => accepted[0]?.seen.frames.length === 1);
      await world.until(() => stuck[0]?.seen.frames.length === pieces);
    });

    test('16 MiB in flight each way on one connection finish', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      const accepted = [acceptAll(b, 'replication'), acceptAll(b, 'metadata')];
      const kinds = ['replication', 'metadata'] as const;
      const near = kinds.map((kind) => {
        const seen = recorder(() => stream);
        const stream = a.endpoint.open(b.address, kind, seen);
        return { seen, stream };
      });
      await world.until(() => accepted.every((list) => list.length === 1));
      const piece = randomBytes(512 * 1024);
      const total = 16 * MiB; // On each of two streams, all queued before any of it is read.
      for (let bytes = 0; bytes < total; bytes += piece.length) {
        for (const { stream } of near) stream.send(Buffer.of(1), [piece]);
        for (const list of accepted) list[0]?.stream.send(Buffer.of(1), [piece]);
      }
      await world.until(
        () =>
          near.every(({ seen }) => seen.payloadBytes === total) &&
          accepted.every((list) => list[0]?.seen.payloadBytes === total),
      );
    });

    test('closing a stream tells the other side, keeps the link and the other streams', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      const accepted = acceptAll(b, 'control');
      const [first, second] = [recorder(), recorder()];
      const stream = a.endpoint.open(b.address, 'control', first);
      const other = a.endpoint.open(b.address, 'control', second);
      stream.send(Buffer.from('last'));
      stream.close();
      stream.send(Buffer.from('ignored'));
      other.send(Buffer.from('goes on'));
      await world.until(() => accepted[1]?.seen.frames.length === 1);
      await world.until(() => accepted[0]?.seen.closed.length === 1 && first.closed.length === 1);
      expect(accepted[0]?.seen.frames.map((frame) => frame.header)).toEqual(['last']);
      expect(accepted[0]?.seen.closed).toEqual(['closed']);
      expect(first.closed).toEqual(['local']);
      expect(second.closed).toEqual([]);
    });

    test('more streams than a link carries are not opened, the others are unharmed', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      const accepted = acceptAll(b, 'control');
      const many = Array.from({ length: limits.linkStreamsMax }, () => recorder());
      const streams = many.map((seen) => a.endpoint.open(b.address, 'control', seen));
      const extra = recorder();
      a.endpoint.open(b.address, 'control', extra);
      await world.until(() => extra.closed.length === 1);
      expect(extra.closed).toEqual(['local']);
      for (const stream of streams) stream.send(Buffer.from('x'));
      await world.until(
        () =>
          accepted.length === many.length && accepted.every(({ seen }) => seen.frames.length === 1),
      );
    });

    test('a user that sends on without credit loses the link instead of the memory', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      acceptAll(b, 'replication', { consume: false });
      const seen = recorder();
      const stream = a.endpoint.open(b.address, 'replication', seen);
      const piece = Buffer.alloc(4 * MiB);
      for (let count = 0; count < 20; count++) stream.send(Buffer.of(1), [piece]);
      await world.until(() => seen.closed.length === 1);
      expect(seen.closed).toEqual(['local']);
    });
  });
}
