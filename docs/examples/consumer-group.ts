/**
 * A consumer group whose members share six partitions. One member is a process of its own and is killed
 * without a word: the others take over its partitions, and every record is handled at least once.
 *
 * A record may be handled twice: its first handler died before it had committed. Handlers that must not
 * do their work twice keep (topic, partition, offset) with their result.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Client, connect } from 'highwater';
import { startCluster } from 'highwater/testing';

const count = 300;
const group = 'billing';
const topic = 'orders';

const [role, brokers = ''] = process.argv.slice(2);
if (role === 'member') await member(brokers.split(','));
else await main();

async function main(): Promise<void> {
  await using cluster = await startCluster({ nodes: 3 });
  await using hw = await connect({ brokers: cluster.brokers });
  await hw.admin.createTopic({ name: topic, partitions: 6, replicationFactor: 3 });

  const handled = new Set<string>();
  const doomed = spawnMember(cluster.brokers, (id) => handled.add(id));
  const consumer = hw.consumer({ group, topics: [topic], from: 'earliest' });
  const handling = consumer.run((record) => {
    handled.add(record.text());
  });
  await held(hw, 2);
  console.log('two members share the partitions');

  const producer = hw.producer();
  const sending = (async () => {
    for (let id = 0; id < count; id++)
      await producer.send({ topic, key: `customer-${id % 20}`, value: String(id) });
  })();

  while (handled.size < count / 3) await pause(10);
  doomed.kill('SIGKILL');
  await once(doomed, 'exit');
  await held(hw, 1);
  console.log('one member was killed; the other holds every partition');

  await sending;
  while (handled.size < count) await pause(10);
  console.log(`all ${handled.size} records were handled`);
  await consumer.close();
  await handling;
}

/** The other member, in a process of its own. It tells what it has handled. */
async function member(addresses: string[]): Promise<void> {
  await using hw = await connect({ brokers: addresses });
  const consumer = hw.consumer({ group, topics: [topic], from: 'earliest' });
  for await (const record of consumer) {
    process.stdout.write(`${record.text()}\n`);
    await consumer.commit(record);
  }
}

function spawnMember(addresses: readonly string[], onHandled: (id: string) => void) {
  const program = fileURLToPath(import.meta.url);
  const words = [...process.execArgv, program, 'member', addresses.join(',')];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', onHandled);
  return child;
}

/** Resolves once so many members hold all partitions between them. */
async function held(hw: Client, members: number): Promise<void> {
  for (;;) {
    const state = await hw.groups.describe(group).catch(() => undefined);
    const partitions = new Set(state?.members.flatMap((one) => one.held));
    if (state?.members.length === members && partitions.size === 6) return;
    await pause(50);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
