import { afterEach, describe, expect, it } from 'vitest';
import { nodeId } from '../../../proto/model/ids.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { rejection } from '../support/rejection.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

/** The broker that the client follows. */
const followed = () =>
  [...cluster.brokers.values()].filter((broker) => broker.watcherCount > 0).map((one) => one.id);

describe('a client', () => {
  it('connects if any one of its addresses answers', async () => {
    cluster = new FakeCluster();
    cluster.hang(1);
    const brokers = ['b1:9092', 'nowhere:1', 'b2:9092'];
    const hw = await cluster.connect({ brokers });
    expect(followed()).toContain(nodeId(2));
    await cluster.run(hw.close());
  });

  it('says which addresses it tried when none answers', async () => {
    cluster = new FakeCluster();
    const opened = cluster.connect({
      brokers: ['nowhere:1', 'nowhere:2'],
      connectTimeoutMs: 1_000,
    });
    const error = await rejection(opened);
    expect(error).toMatchObject({ code: 'CONNECTION_LOST', outcome: 'not-written' });
    expect(error.message).toContain('nowhere:1, nowhere:2');
  });

  it('leaves a broker that says that it is stale', async () => {
    cluster = new FakeCluster();
    await cluster.connect();
    const [before] = followed();
    const broker = [...cluster.brokers.values()].find((one) => one.id === before);
    broker?.tellStale();
    await cluster.time.advance(10);
    expect(followed()).toHaveLength(1);
    expect(followed()).not.toContain(before);
  });

  it('follows another broker when the one that it follows dies, and hears what comes', async () => {
    cluster = new FakeCluster();
    const hw = await cluster.connect();
    const [before] = followed();
    cluster.network.crash(`b${before}`, true);
    cluster.brokers.delete(nodeId(Number(before)));
    await cluster.time.advance(50);
    cluster.createTopic('orders');
    await cluster.time.advance(10);
    const names = (await cluster.run(hw.admin.listTopics())).map((topic) => topic.name);
    expect(names).toEqual(['orders']);
  });

  it('in trouble asks the broker that it follows, and leaves it if it is silent', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders');
    const hw = await cluster.connect({ brokers: ['b3:9092'] });
    const producer = hw.producer();
    await cluster.run(producer.send({ topic: 'orders', value: '0' }));
    cluster.hang(3);
    cluster.elect(topic, 0, 2);
    // The client cannot have heard of the election; the old leader's refusal makes it ask.
    await cluster.run(producer.send({ topic: 'orders', value: '1' }), 3_000);
    expect(topic.partitions[0]?.values()).toEqual(['0', '1']);
  });

  it('sees a topic as soon as it has created it', async () => {
    cluster = new FakeCluster();
    const hw = await cluster.connect();
    await cluster.run(hw.admin.createTopic({ name: 'orders', partitions: 4 }));
    const [listed] = await cluster.run(hw.admin.listTopics());
    expect(listed).toMatchObject({ name: 'orders', partitions: 4, offline: 0 });
  });

  it('always closes, however often, and refuses what comes later', async () => {
    cluster = new FakeCluster();
    const hw = await cluster.connect();
    for (let id = 1; id <= 3; id++) cluster.hang(id);
    await cluster.run(Promise.all([hw.close(), hw.close()]), 1_000);
    expect(() => hw.producer()).toThrowError(/closed/);
  });
});
