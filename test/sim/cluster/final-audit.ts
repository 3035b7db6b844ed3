/**
 * The end of a run: reads every replica whole and compares it with the others and with what clients
 * were told. Acknowledged within a promise: there, once, where the receipt says, in the order in which
 * its writer sent it. Definitely not written: not there.
 */
import type { PartitionDriver } from '../../../broker/replication/partition-driver.ts';
import { offset } from '../../../proto/model/offset.ts';
import { readBatchHeader } from '../../../proto/wire/batch-header.ts';
import { openBatch } from '../../../proto/wire/open-batch.ts';
import { RecordCursor } from '../../../proto/wire/record-cursor.ts';
import { FoundInLog, type KeptBesideLog } from '../checkers/log-agrees.ts';
import { Violation } from '../world.ts';
import type { ClusterClients } from './cluster-clients.ts';
import { judgeCompacted, type KeyedRecord } from './compacted-audit.ts';
import { type Ledger, mayBeAt, type SentRecord } from './ledger.ts';
import type { SimCluster } from './sim-cluster.ts';
import type { SeenRecords } from './sim-reader.ts';

const readMs = 20_000;

/** Throws the first difference that it finds. */
export async function auditReplicas(cluster: SimCluster, clients: ClusterClients): Promise<void> {
  const { seen } = clients;
  // Then writers still write what has not halted.
  const isHalted = cluster.partitions().some(({ state }) => cluster.hasHalted(state));
  for (const { topic, state } of cluster.partitions()) {
    if (topic.isInternal) continue;
    const told = clients.told(topic);
    if (told === undefined && !isHalted)
      throw new Violation('audit', `nobody made the ${topic.name} that is there`);
    if (told === undefined) continue;
    const { ledger } = told;
    const place = `${told.name}/${state.partition}`;
    const logs: { readonly node: number; readonly found: readonly KeyedRecord[] }[] = [];
    for (const node of state.replicas) {
      const driver = cluster.replica(node, topic.topicId, state.partition);
      if (driver === undefined) throw new Violation('audit', `node ${node} has no ${place}`);
      const beside = new FoundInLog();
      const found = await cluster.world.time.complete(
        recordsOf(
          driver,
          cluster.hasHalted(state) ? driver.log.endOffset : driver.watermark,
          beside,
        ),
        readMs,
      );
      logs.push({ node, found });
      if (!isHalted && !topic.settings.compacts)
        beside.expectSame(`node ${node} ${place}`, keptBeside(driver));
    }
    if (cluster.hasHalted(state)) {
      if (!cluster.swarm.isOverBudget) judgeHalted(place, logs, ledger);
      continue;
    }
    if (topic.settings.compacts) {
      judgeCompacted(place, logs, ledger);
      continue;
    }
    for (const { node, found } of logs) {
      judge(place, node, { found, ledger });
      expectSeen(place, found, seen);
    }
    for (const { node, found } of logs) {
      if (!isHalted && found.length !== logs[0]?.found.length)
        throw new Violation('replicas-agree', `${place}: node ${node} has ${found.length} records`);
    }
  }
}

function keptBeside({ log, state }: PartitionDriver): KeptBesideLog {
  return { history: state.log.history, judgeProducer: (header) => log.judgeProducer(header) };
}

async function recordsOf(
  driver: PartitionDriver,
  below: PartitionDriver['watermark'],
  beside: FoundInLog,
): Promise<readonly KeyedRecord[]> {
  const found: KeyedRecord[] = [];
  for (let at = driver.log.startOffset; at < below; ) {
    const batches = await driver.log.read(at, { bytesMax: 4_000_000, below });
    const before = at;
    for (const bytes of batches) at = takeBatches(bytes, found, beside);
    if (at === before) throw new Violation('audit', `nothing can be read at ${at}`);
  }
  return found;
}

/** Returns the offset after the last record. */
function takeBatches(
  bytes: Buffer,
  found: KeyedRecord[],
  beside: FoundInLog,
): ReturnType<typeof offset> {
  let end = offset(0);
  for (let at = 0; at < bytes.length; ) {
    const header = readBatchHeader(bytes, at);
    if (header.kind !== 'batch') throw new Violation('audit', `a log holds ${header.kind}`);
    beside.take(header);
    const cursor = openBatch(bytes, header);
    if (!(cursor instanceof RecordCursor))
      throw new Violation('audit', `a log holds a damaged batch at ${header.baseOffset}`);
    while (cursor.next())
      found.push({
        offset: cursor.offset,
        key: cursor.key()?.toString(),
        value: cursor.value()?.toString() ?? '',
      });
    at += header.byteLength;
    end = offset(header.lastOffset + 1);
  }
  return end;
}

function judge(
  place: string,
  node: number,
  { found, ledger }: { readonly found: readonly KeyedRecord[]; readonly ledger: Ledger },
): void {
  const where = `node ${node} ${place}`;
  const seen = new Map<string, number>();
  const promised = new Set(ledger.promised);
  const lastOf = new Map<number, SentRecord>();
  for (const { offset: at, value } of found) {
    const record = ledger.records.get(value);
    if (record === undefined || !mayBeAt(record, place))
      throw new Violation('no-strangers', `${where} has ${name(value)}, which nobody sent there`);
    if (seen.has(value))
      throw new Violation(
        'no-duplicates',
        `${where} has ${name(value)} at ${seen.get(value)} and ${at}`,
      );
    seen.set(value, at);
    if (record.fate === 'not-written')
      throw new Violation('not-written', `${where} has ${name(value)}, which was refused`);
    if (record.fate !== 'acknowledged') continue;
    if (promised.has(record) && record.offset !== at)
      throw new Violation('receipt', `${where}: ${name(value)} at ${at}, not at ${record.offset}`);
    // Without a sequence a record may pass those that are sent again.
    if (record.acks === 'none') continue;
    const last = lastOf.get(record.writer);
    if (last !== undefined && last.number > record.number)
      throw new Violation('order', `${where}: ${name(value)} after ${name(last.value)}`);
    lastOf.set(record.writer, record);
  }
  for (const record of ledger.promised) {
    if (record.place !== place || seen.has(record.value)) continue;
    const what = `${name(record.value)} at ${record.offset}, acknowledged at ${record.acks}`;
    throw new Violation('acknowledged-is-kept', `${where} lacks ${what}`);
  }
}

/** S16: what was read once is there for ever. */
function expectSeen(place: string, found: readonly KeyedRecord[], seen: SeenRecords): void {
  const values = new Map(found.map((record) => [record.offset, record.value]));
  for (const [at, value] of seen.values.get(place) ?? [])
    if (values.get(at) !== value)
      throw new Violation('reads-are-kept', `${place}: ${name(value)} was read at ${at}`);
}

/** A partition that waits for an operator: somebody still has each record, or where keys are compacted a later one. */
function judgeHalted(
  place: string,
  logs: readonly { readonly found: readonly KeyedRecord[] }[],
  ledger: Ledger,
): void {
  const seen = new Set(logs.flatMap(({ found }) => found.map(({ value }) => value)));
  const lastOf = new Map<string, number>();
  for (const { key, offset } of logs.flatMap(({ found }) => found))
    if (key !== undefined) lastOf.set(key, Math.max(offset, lastOf.get(key) ?? offset));
  for (const record of ledger.promised) {
    if (record.place !== place || seen.has(record.value)) continue;
    const last = lastOf.get(record.key ?? '');
    if (last === undefined || last < (record.offset ?? 0))
      throw new Violation('halted-keeps', `nobody has ${name(record.value)} of ${place}`);
  }
}

function name(value: string): string {
  return value.split(' ', 1)[0] ?? '';
}
