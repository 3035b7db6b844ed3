/** What every implementation of the peer link does alike: who is let in, and how links end. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noCluster } from '../../../proto/link/hello.ts';
import { clusterId, incarnationId, nodeId } from '../../../proto/model/ids.ts';
import { acceptAll, type LinkWorld, recorder, testIdentity } from './link-world.ts';

const otherCluster = clusterId('c0000000-0000-4000-8000-000000000002');

export function describeLifecycle(
  name: string,
  create: () => LinkWorld | Promise<LinkWorld>,
): void {
  describe(`the life of a peer link over ${name}`, () => {
    let world: LinkWorld;
    beforeEach(async () => {
      world = await create();
    });
    afterEach(async () => {
      await world.close();
    });

    test('nobody listening is refused, and re-opened streams are paced', async () => {
      const a = await world.node(1, { timings: { backoffMsMin: 5, backoffMsMax: 40 } });
      const reasons: string[] = [];
      const open = (): void => {
        const seen = recorder();
        const onClose = (reason: string): void => {
          reasons.push(reason);
          if (reasons.length < 5) open();
        };
        a.endpoint.open(world.nobody(2), 'raft', { ...seen, onClose });
      };
      open();
      await world.until(() => reasons.length === 5);
      expect(reasons).toEqual(['refused', 'refused', 'refused', 'refused', 'refused']);
    });

    test('a kind that nobody accepts is refused, without harm to the link', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      const accepted = acceptAll(b, 'control');
      const [refused, fine] = [recorder(), recorder()];
      a.endpoint.open(b.address, 'metadata', refused);
      a.endpoint.open(b.address, 'control', fine).send(Buffer.from('x'));
      await world.until(() => refused.closed.length === 1);
      await world.until(() => accepted[0]?.seen.frames.length === 1);
      expect(refused.closed).toEqual(['refused']);
    });

    test.each([
      ['another cluster', { clusterId: otherCluster }, 2],
      ['another node than meant', {}, 3],
      ['no common feature level', { featureMin: 5, featureMax: 9 }, 2],
    ])('%s is a mismatch on both sides', async (what, identity, meant) => {
      const a = await world.node(1);
      const b = await world.node(2, { identity });
      const accepted = acceptAll(b, 'control');
      const seen = recorder();
      const address = { ...b.address, nodeId: nodeId(meant) };
      a.endpoint.open(address, 'control', seen).send(Buffer.from('secret'));
      await world.until(() => seen.closed.length === 1);
      await world.until(() => b.lines.some((line) => line.event === 'link-refused'));
      expect(seen.closed).toEqual(['mismatch']);
      expect(accepted).toEqual([]);
      const failed = a.lines.find((line) => line.event === 'link-failed');
      expect(failed?.fields['detail']).toContain(what.split(' than')[0]);
    });

    test('a node without a cluster may open control streams and nothing else', async () => {
      const a = await world.node(1, { identity: { clusterId: noCluster } });
      const b = await world.node(2);
      const control = acceptAll(b, 'control');
      const replication = acceptAll(b, 'replication');
      const refused = recorder();
      a.endpoint.open(b.address, 'control', recorder()).send(Buffer.from('may I join'));
      a.endpoint.open(b.address, 'replication', refused);
      await world.until(() => control[0]?.seen.frames.length === 1 && refused.closed.length === 1);
      expect(refused.closed).toEqual(['mismatch']);
      expect(replication).toEqual([]);
    });

    test('a closed endpoint ends its links at both sides, and the next dial is refused', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      const accepted = acceptAll(b, 'raft');
      const downs: string[] = [];
      a.endpoint.watch({ onUp() {}, onDown: (_, reason) => downs.push(reason) });
      const [seen, again] = [recorder(), recorder()];
      a.endpoint.open(b.address, 'raft', seen);
      await world.until(() => accepted.length === 1);
      const closing = b.endpoint.close();
      await world.until(() => seen.closed.length === 1 && accepted[0]?.seen.closed.length === 1);
      await world.until(() => downs.length === 1);
      await closing;
      expect([seen.closed, accepted[0]?.seen.closed, downs]).toEqual([
        ['closed'],
        ['local'],
        ['closed'],
      ]);
      a.endpoint.open(b.address, 'raft', again);
      await world.until(() => again.closed.length === 1);
      expect(again.closed).toEqual(['refused']);
    });

    test('a restarted peer is another incarnation and gets a fresh link', async () => {
      const [a, b] = [await world.node(1), await world.node(2)];
      const events: string[] = [];
      a.endpoint.watch({
        onUp: (peer) => events.push(`up ${peer.incarnationId.slice(0, 4)}`),
        onDown: (peer, reason) => events.push(`down ${peer.incarnationId.slice(0, 4)} ${reason}`),
      });
      const first = recorder();
      acceptAll(b, 'raft');
      a.endpoint.open(b.address, 'raft', first);
      await world.until(() => events.length === 1);
      const closing = b.endpoint.close();
      await world.until(() => events.length === 2);
      await closing;
      const later = testIdentity(2, {
        incarnationId: incarnationId('20000000-0000-4000-8000-000000000002'),
      });
      const again = await world.node(2, { identity: later });
      acceptAll(again, 'raft');
      a.endpoint.open(again.address, 'raft', recorder());
      await world.until(() => events.length === 3);
      expect(events).toEqual(['up 1000', 'down 1000 closed', 'up 2000']);
    });
  });
}
