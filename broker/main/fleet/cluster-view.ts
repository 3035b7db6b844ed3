/** Questions about a running cluster, asked until the answer is the one that is waited for. */
import type { Client, PartitionInfo } from '../../../client/index.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { FoundRecord } from './history.ts';

export interface PartitionPlace {
  readonly topic: string;
  readonly partition: number;
}

/** Asks every few milliseconds until `isGood`; what was seen last is in the error. */
export async function until<Seen>(
  ask: () => Promise<Seen>,
  isGood: (seen: Seen) => boolean,
  what: string,
  withinMs = 20_000,
): Promise<Seen> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const seen = await ask();
      last = seen;
      if (isGood(seen)) return seen;
    } catch (caught) {
      // A client that was closed will not answer any more.
      if (caught instanceof HighwaterError && caught.code === 'CLOSED') throw caught;
      last = caught;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new HighwaterError(
    'DEADLINE_EXCEEDED',
    `not within ${withinMs} ms: ${what}; last seen: ${describe(last)}`,
  );
}

/** What the brokers say of one partition. */
export async function partitionInfo(client: Client, place: PartitionPlace): Promise<PartitionInfo> {
  const { partitions } = await client.admin.describeTopic(place.topic, { timeoutMs: 1_000 });
  const info = partitions.find((one) => one.partition === place.partition);
  if (info === undefined)
    throw new HighwaterError('UNKNOWN_PARTITION', `no partition ${place.topic}/${place.partition}`);
  return info;
}

/** The leader, once there is one and the in-sync set is this large. */
export async function leaderWithIsr(
  client: Client,
  place: PartitionPlace,
  isrSize: number,
): Promise<number> {
  const info = await until(
    () => partitionInfo(client, place),
    ({ leader, isr }) => leader !== undefined && isr.length === isrSize,
    `a leader and ${isrSize} in sync`,
  );
  return info.leader ?? 0;
}

/** Everything that one replica serves, from the start to the leader's watermark of this moment. */
export async function readReplica(
  client: Client,
  place: PartitionPlace,
  node?: number,
): Promise<FoundRecord[]> {
  const found: FoundRecord[] = [];
  const reader = client.reader({
    ...place,
    from: 'earliest',
    to: 'latest',
    level: node === undefined ? 'leader' : 'any',
    readFrom: node ?? 'leader',
    signal: AbortSignal.timeout(30_000),
  });
  for await (const { offset, value } of reader)
    found.push({ offset, value: Buffer.from(value ?? '') });
  return found;
}

function describe(last: unknown): string {
  if (last instanceof Error) return last.message;
  return JSON.stringify(last, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}
