import type { Parity } from '../harness/bench.ts';
import { kafkaVersion, natsVersion } from '../peers/locations.ts';
import type { Plan } from './plan.ts';
import type { Row } from './rows.ts';

/** What was compared, how, and what the report does not show. */
export function parityOf(plan: Plan, rows: readonly Row[]): Parity {
  return {
    systems: `Highwater of this tree; Apache Kafka ${kafkaVersion}, KRaft, -Xmx1G; NATS ${natsVersion}, JetStream`,
    clusters: 'three nodes each, every node a process with all roles; all clusters up at once',
    replication: 'three replicas, acks=all, min.insync.replicas 2; NATS R3 waits for a majority',
    flush: 'os: page cache; ack: fdatasync on every replica first (Kafka: flush.messages=1)',
    rows: rows.map(({ name, load }) => `${name}: ${load}`),
    clients:
      'one producer process; Kafka: ProducerPerformance (Java) and @platformatic/kafka (Node)',
    tuned:
      'Kafka Java: batch.size 262144, linger.ms 10, buffer.memory 64 MiB; Node: 250 kB, 5 in flight',
    rounds: `${plan.rounds} of about ${plan.roundSeconds} s each on fresh topics, interleaved, one warm-up each`,
    checked:
      'ours: count and checksum of every replica; Kafka and NATS: count below the watermark, their tools keep no payload',
    limits:
      'one machine, two cores or so: CPU is shared by clients and nodes, the network is loopback, disks are one disk',
  };
}
