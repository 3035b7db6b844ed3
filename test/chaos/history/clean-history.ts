/** A history in which nothing is wrong, made from a seed: the ground that mutations start from. */
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import type { Operation, Send } from './operation.ts';

export interface CleanHistoryOptions {
  readonly seed: string;
  readonly sends: number;
  readonly partitions?: number;
}

const producers = 3;
const readers = 2;
const replicas = [1, 2, 3];
const pollMax = 40;

/** Producers in turns, some sends refused or in doubt, readers that follow, and three final reads. */
export function cleanHistory({ seed, sends, partitions = 2 }: CleanHistoryOptions): Operation[] {
  const random = new SeededRandom(seed);
  const operations: Operation[] = [];
  const logs = Array.from({ length: partitions }, () => [] as string[]);
  const positions = new Map<string, number>();
  const names = Array.from({ length: producers }, (_, index) => `producer-${index}`);
  let nowMs = 0;
  for (let count = 0; count < sends; count++) {
    const at = random.below(partitions);
    const who = random.below(producers);
    const send = oneSend({ random, log: logs[at] ?? [], count, nowMs });
    operations.push({ ...send, process: names[who] ?? '', partition: `p${at}` });
    if (send.outcome === 'info') names[who] = `producer-${who}-after-${count}`;
    nowMs += 1 + random.below(3);
    if (random.below(8) === 0) onePoll(`reader-${random.below(readers)}`, random.below(partitions));
  }
  for (let at = 0; at < partitions; at++)
    for (const node of replicas) {
      const process = `final-${node}`;
      operations.push({ kind: 'assign', process, partition: `p${at}` });
      operations.push(pollOf({ process, at, from: 0, count: Infinity, finalOf: node }));
    }
  return operations;

  function onePoll(process: string, at: number): void {
    const key = `${process}/${at}`;
    const from = positions.get(key) ?? 0;
    const poll = pollOf({ process, at, from, count: random.below(pollMax) });
    positions.set(key, from + poll.records.length);
    operations.push(poll);
  }

  function pollOf(asked: {
    readonly process: string;
    readonly at: number;
    readonly from: number;
    readonly count: number;
    readonly finalOf?: number;
  }) {
    const { process, at, from, count, finalOf } = asked;
    const values = (logs[at] ?? []).slice(from, from + count);
    return {
      kind: 'poll' as const,
      process,
      partition: `p${at}`,
      invokedMs: nowMs,
      completedMs: nowMs + 1,
      records: values.map((value, index) => ({ offset: from + index, value })),
      ...(finalOf === undefined ? {} : { finalOf }),
    };
  }
}

/** One in twenty is refused; one in twenty ends in doubt, and half of those were written. */
function oneSend(input: {
  readonly random: SeededRandom;
  readonly log: string[];
  readonly count: number;
  readonly nowMs: number;
}): Omit<Send, 'process' | 'partition'> {
  const { random, log, count, nowMs } = input;
  const value = `v${count}`;
  const times = { invokedMs: nowMs, completedMs: nowMs + 1 };
  const fate = random.below(40);
  if (fate < 2) return { kind: 'send', value, ...times, outcome: 'fail' };
  if (fate === 2 || fate === 3) {
    if (fate === 2) log.push(value);
    return { kind: 'send', value, ...times, outcome: 'info' };
  }
  log.push(value);
  const leaderEpoch = Math.floor(count / 50);
  const leader = 1 + (leaderEpoch % replicas.length);
  return {
    kind: 'send',
    value,
    ...times,
    outcome: 'ok',
    offset: log.length - 1,
    leaderEpoch,
    leader,
  };
}
