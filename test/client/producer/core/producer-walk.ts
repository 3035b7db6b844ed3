/**
 * Random walks of one producer and one partition, one seed each: requests and answers that are lost or
 * late, refusals, deadlines, and a leader that loses its last batches. What must hold: no record is
 * there twice, none has overtaken another, and what was told is true.
 */
import type { LogRules } from '../../../../broker/log/core/rules.ts';
import { PartitionQueue } from '../../../../client/producer/core/partition-queue.ts';
import type { ProducerRules } from '../../../../client/producer/core/rules.ts';
import { HighwaterError } from '../../../../proto/model/errors.ts';
import { limits } from '../../../../proto/model/limits.ts';
import { SeededRandom } from '../../../../proto/ports/memory/seeded-random.ts';
import { Violation } from '../../../scenario/replication/violation.ts';
import { QueueWorld } from './queue-world.ts';

const refusals = ['NOT_LEADER', 'NOT_ENOUGH_REPLICAS', 'RECORD_TOO_LARGE'] as const;

/** Walks from one seed. Throws a `Violation` when a promise is broken. */
export function walkProducer(
  seed: number,
  options: { readonly steps: number; readonly rules: ProducerRules; readonly logRules: LogRules },
): void {
  const random = new SeededRandom(seed);
  const queue = new PartitionQueue<number[]>(true, options.rules);
  const world = new QueueWorld(queue, 40, options.logRules);
  // A leader that loses what it acknowledged breaks a promise of its own: then only the rest is checked.
  const loses = random.below(2) === 0;
  for (let taken = 0; taken < options.steps; taken++) {
    act(world, random, loses);
    const unanswered = world.requests.length + world.answers.length;
    if (unanswered > limits.producerInFlightMax) {
      throw new Violation(`B6.5 ${unanswered} batches are on their way, and fewer are remembered`);
    }
  }
  world.finish();
  while (world.stragglers.length > 0) world.straggle();
  check(world, loses);
}

function act(world: QueueWorld, random: SeededRandom, loses: boolean): void {
  const drawn = random.below(34);
  if (drawn < 7) world.append(1 + random.below(2));
  else if (drawn < 13) world.pump();
  else if (drawn < 20) world.handle();
  else if (drawn < 27) world.answer();
  else if (drawn < 29) {
    const code = refusals[random.below(refusals.length)] ?? 'NOT_LEADER';
    world.handle(new HighwaterError(code, code));
  } else if (drawn < 30) world.disconnect(random.below(2) === 0);
  else if (drawn < 31) world.straggle();
  else if (drawn < 32) world.expire(15);
  else if (drawn < 33 && loses) world.log.lose(1 + random.below(4));
}

function check({ log: { values }, told, queue }: QueueWorld, loses: boolean): void {
  const seen = new Set<number>();
  let last = -1;
  for (const value of values) {
    if (seen.has(value)) throw new Violation(`S18 record ${value} is there twice`);
    if (value < last) throw new Violation(`S18 record ${value} comes after ${last}`);
    seen.add(value);
    last = value;
  }
  for (const [value, outcome] of told) {
    if (outcome === 'not-written' && seen.has(value)) {
      throw new Violation(`S15 record ${value} was refused, and is there`);
    }
    if (outcome === 'written' && !seen.has(value) && !loses) {
      throw new Violation(`S14 record ${value} was acknowledged, and is not there`);
    }
  }
  if (!queue.isEmpty) throw new Violation('L3 a send has no answer');
}
