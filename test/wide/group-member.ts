/** A member of a group in a process of its own: prints what it handles, commits after each record. */
import { connect } from '../../client/index.ts';

const [brokers = '', group = '', topic = '', name = ''] = process.argv.slice(2);
const client = await connect({ brokers: brokers.split(',') });
const tell = (words: readonly (string | number | bigint)[]): void => {
  process.stdout.write(`${[process.hrtime.bigint(), name, ...words].join(' ')}\n`);
};
tell(['joining']);
const consumer = client.consumer({
  group,
  topics: [topic],
  from: 'earliest',
  // A member that hangs is given up after this.
  sessionTimeoutMs: 4_000,
  onEvent: (event) => {
    if ('partitions' in event)
      tell([event.kind, ...event.partitions.map(({ partition }) => partition)]);
  },
});
process.once('SIGTERM', () => {
  void consumer.close().then(() => client.close());
});
for await (const record of consumer) {
  tell(['handled', record.partition, record.offset, String(record.key), record.text()]);
  // Lost to another member: the record will be handled there again.
  await consumer.commit(record).catch((error: Error) => tell(['refused', error.message]));
}
