/**
 * Read your writes from a follower. A service writes and hands its session token to another one, which
 * reads from a replica that is behind on purpose: the read waits until the replica has what was written.
 */
import { connect } from 'highwater';
import { startCluster } from 'highwater/testing';

await using cluster = await startCluster({ nodes: 3 });
await using writer = await connect({ brokers: cluster.brokers });
await writer.admin.createTopic({ name: 'profiles', partitions: 1, replicationFactor: 3 });
const { partitions } = await writer.admin.describeTopic('profiles');
const leader = partitions[0]?.leader ?? 0;
const follower = partitions[0]?.replicas.find((node) => node !== leader) ?? 0;
const before = writer.session().token();

cluster.slow(follower, 200);
const producer = writer.producer({ acks: 'leader' });
const receipt = await producer.send({ topic: 'profiles', key: 'ann', value: 'blue' });

// The token is a text: it travels in a header or a cookie.
const token = writer.session().token();
console.log(`written at offset ${receipt.offset}; the token has grown: ${token !== before}`);

await using other = await connect({ brokers: cluster.brokers });
const reader = other.reader({
  topic: 'profiles',
  readFrom: follower,
  level: 'session',
  session: other.session(token),
});
for await (const record of reader) {
  console.log(
    `node ${follower} is a follower and served ${record.key?.toString()}: ${record.text()}`,
  );
  break;
}
