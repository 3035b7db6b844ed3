import type { Parity } from '../harness/bench.ts';
import { memoryIsWarm } from '../harness/warm-memory.ts';
import { kafkaVersion, natsVersion } from '../peers/locations.ts';
import { matchedKafkaNodes, matchedKafkaProducer } from './failover.ts';
import type { Plan } from './plan.ts';
import type { Row } from './rows.ts';
import { workloadsOf, workloadText } from './workloads.ts';

/** What was compared, how, and what the report does not show. */
export function parityOf(plan: Plan, rows: readonly Row[]): Parity {
  return {
    page_cache: memoryIsWarm,
    systems: `Highwater of this tree; Apache Kafka ${kafkaVersion}, KRaft, with the heap (-Xmx1G -Xms1G) and the flags of its scripts; NATS ${natsVersion}, JetStream`,
    clusters: 'three nodes each, every node a process with all roles; all clusters up at once',
    replication: 'three replicas, acks=all, min.insync.replicas 2; NATS R3 waits for a majority',
    flush: 'os: page cache; ack: fdatasync on every replica first (Kafka: flush.messages=1)',
    rows: rows.map(({ name, load }) => `${name}: ${load}`),
    clients:
      'one producer process that stays up over all rounds; Kafka: ProducerPerformance (Java) and @platformatic/kafka (Node)',
    tuned:
      'ours: sendBatch calls of 1 MiB, 16 MiB in flight; Kafka Java: batch.size 262144, linger.ms 10, buffer.memory 64 MiB; Kafka Node: 250 kB, 5 in flight',
    workloads: workloadsOf(plan).map(workloadText),
    half_load:
      'open loop on both sides, from the intended send: send() of ours, a loop on Kafka’s Java client with linger 5 ms (its default) and 0; the better one counts',
    failover:
      '100 small records a second, acks=all, one partition; Kafka: VerifiableProducer with retries and idempotence as by default; NATS: its client is connected to a server that stays',
    failover_matched: `ours as they are; Kafka: ${[...matchedKafkaNodes, ...matchedKafkaProducer].join(', ')}; NATS has no setting for its election timeout`,
    failover_order:
      'in turn; while Kafka’s producer waits for a stopped leader the others have their trial',
    rounds: `${plan.rounds} of about ${plan.roundSeconds} s each on fresh topics, interleaved; before the first row everybody runs until it gets no faster, at most ${plan.warmUpRoundsMax.first} rounds`,
    checked:
      'ours: count and checksum of every replica; Kafka and NATS: count below the watermark, their tools keep no payload',
    limits: [
      'one machine: CPU is shared by clients and nodes, so a client that costs less lets its brokers do more',
      'the network is loopback, and all disks are one disk',
      'rounds are seconds, not hours: no retention, no compaction, no cold reads, few segments',
      'the systems that do not have their turn are up and idle, and take memory and a few per cent of a core',
      `${plan.rounds} rounds: differences of less than a fifth say little`,
      'settings of the peers are those that were fastest in trials here, which their experts may better',
    ],
  };
}
