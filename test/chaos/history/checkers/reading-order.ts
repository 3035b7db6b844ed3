/** A process reads forward: nothing is left out and nothing comes again until it is assigned anew. */
import type { Anomaly, CheckInput } from '../anomaly.ts';

/** Between two records that a process read one after the other stands a third one. */
export function pollSkip(input: CheckInput): Anomaly[] {
  return steps(input)
    .filter(({ from, to }) => to - from > 1)
    .map((step) => told('poll-skip', input.partition, step));
}

/** A process read a record again, or an earlier one. */
export function nonmonotonicPoll(input: CheckInput): Anomaly[] {
  return steps(input)
    .filter(({ from, to }) => to <= from)
    .map((step) => told('nonmonotonic-poll', input.partition, step));
}

interface Step {
  readonly process: string;
  readonly from: number;
  readonly to: number;
}

/** All pairs of records that a process read in a row, within a poll and across. */
function steps({ history, order }: CheckInput): Step[] {
  const last = new Map<string, number>();
  const found: Step[] = [];
  for (const operation of history) {
    if (operation.kind === 'assign') last.delete(operation.process);
    if (operation.kind !== 'poll') continue;
    const { process } = operation;
    for (const { offset } of operation.records) {
      const to = order.indexOf(offset);
      const from = last.get(process);
      if (from !== undefined) found.push({ process, from, to });
      last.set(process, to);
    }
  }
  return found;
}

function told(name: Anomaly['name'], partition: string, { process, from, to }: Step): Anomaly {
  return { name, partition, evidence: `${process} read record ${to} after record ${from}` };
}
