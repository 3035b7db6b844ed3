import type { Goal } from '../harness/bench.ts';

function atLeast(key: string, value: number, meaning: string): Goal {
  return { key, goal: { atLeast: value }, meaning };
}

function atMost(key: string, value: number, meaning: string): Goal {
  return { key, goal: { atMost: value }, meaning };
}

/** What the comparison is to show: replication 3, acknowledged by all, one producer. */
export const goals: readonly Goal[] = [
  atLeast('os_1KB_vs_kafka_best', 1.8, 'page cache, best setting of each'),
  atLeast('os_1KB_vs_kafka_default', 4, 'record by record, defaults, Kafka’s Java producer'),
  atLeast('os_100B_vs_kafka_best', 2, 'page cache, best setting of each'),
  atLeast('ack_1KB_vs_kafka_best', 2.5, 'flushed on all replicas before the ack'),
  atLeast('single_1KB_vs_kafka_node', 10, 'record by record, Node clients'),
  atLeast('single_1KB_vs_nats', 5, 'record by record, Node clients, NATS R3'),
  atLeast('consume_1KB_vs_kafka', 1, 'against ConsumerPerformance'),
  atMost('p99_half_load_vs_kafka', 1, 'open loop at half of the slower one’s maximum'),
  atLeast('kill_gap_kafka_over_ours', 20, 'longest ack gap after SIGKILL, both at defaults'),
  atMost('rss_vs_kafka', 0.25, 'per node, after load, Kafka at -Xmx1G'),
];
