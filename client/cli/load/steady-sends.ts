/**
 * Open loop: each record has a time at which it is to be sent, and its latency counts from there, also
 * where the sender or the cluster was late. So a pause is seen by all the records that fell into it.
 */
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { Producer } from '../../producer/producer.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { LoadValues } from './load-values.ts';

export interface SteadyPlan {
  readonly topic: string;
  readonly recordsPerSecond: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Called for every record that was acknowledged. */
  readonly onAck: () => void;
}

export interface SteadyOutcome {
  readonly latency: LatencyHistogram;
  readonly failed: number;
  /** The first of the failures. */
  readonly failure: HighwaterError | undefined;
}

const tickMs = 1;

/** Resolves once every record that was sent has its outcome. */
export function sendSteadily(
  producer: Producer,
  values: LoadValues,
  plan: SteadyPlan,
): Promise<SteadyOutcome> {
  const { topic, recordsPerSecond, seconds, signal, onAck } = plan;
  const total = Math.round(recordsPerSecond * seconds);
  const everyMs = 1000 / recordsPerSecond;
  const latency = new LatencyHistogram();
  const began = performance.now();
  let sent = 0;
  let decided = 0;
  let failed = 0;
  let failure: HighwaterError | undefined;
  return new Promise((resolve) => {
    const isLast = (): boolean => sent === total || signal.aborted;
    const decide = (): void => {
      decided++;
      if (isLast() && decided === sent) resolve({ latency, failed, failure });
    };
    const send = (index: number): void => {
      producer.send({ topic, value: values.at(index) }).then(
        () => {
          latency.record(performance.now() - began - index * everyMs);
          onAck();
          decide();
        },
        (caught: unknown) => {
          failed++;
          failure ??= HighwaterError.from(caught);
          decide();
        },
      );
    };
    const tick = (): void => {
      const due = Math.min(total, Math.floor((performance.now() - began) / everyMs) + 1);
      if (!signal.aborted) while (sent < due) send(sent++);
      if (!isLast()) setTimeout(tick, tickMs);
      else if (decided === sent) resolve({ latency, failed, failure });
    };
    tick();
  });
}
