/**
 * What only some seeds do besides. Each is drawn from a source of its own, named after it, so that the
 * seeds without it stay what they were.
 */
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import type { TopicPlan, WriterPlan } from './cluster-swarm.ts';

/** A topic that is deleted and made again under its name, again and again, while it is written. */
export interface ChurnPlan {
  readonly topic: TopicPlan;
  readonly writer: WriterPlan;
  /** Mean time for which the topic lives. */
  readonly lifeMs: number;
  /** Mean time until it is there again. */
  readonly goneMs: number;
}

export interface ExtraPlans {
  readonly churn?: ChurnPlan | undefined;
}

export function drawExtraPlans(random: SeededRandom, brokers: number): ExtraPlans {
  return { churn: drawChurn(random.fork('churn'), brokers) };
}

function drawChurn(random: SeededRandom, brokers: number): ChurnPlan | undefined {
  if (random.below(5) > 0) return undefined;
  return {
    topic: {
      name: 'comes-and-goes',
      partitions: 1 + random.below(3),
      replicationFactor: Math.min(brokers, 2 + random.below(2)),
      config: { 'segment.bytes': '4096' },
    },
    writer: {
      levels: random.below(2) === 0 ? ['all'] : ['all', 'semi-sync', 'leader', 'none'],
      everyMs: 20 + random.below(60),
      valueBytes: 200,
    },
    lifeMs: 100 + random.below(900),
    goneMs: 1 + random.below(300),
  };
}
