/** Why a goal is missed where it is, and what would get there: from profiles, shown beside the figure. */
const cpuBound =
  'with client and nodes on the same few cores all of them are busy, so the ratio is that of the CPU seconds for each GB, which are listed; our nodes spend about twice what the bare pipeline spends on the same bytes (stream messages and promises for each batch at three nodes), and what shortens that path gets there';

const reasons: Readonly<Record<string, string>> = {
  os_1KB_vs_kafka_best: cpuBound,
  os_100B_vs_kafka_best: `${cpuBound}; at 100 B the client, which encodes ten times as many records, is a third of the cost`,
  os_1KB_vs_kafka_default: cpuBound,
  ack_1KB_vs_kafka_best: `where one fdatasync takes well under a millisecond, as the machine facts say, a flush for every 250 kB costs Kafka little, and what is left is this: ${cpuBound}; a disk that flushes more slowly favours one flush for all that waits`,
  single_1KB_vs_kafka_node: cpuBound,
  single_1KB_vs_nats: cpuBound,
  consume_1KB_vs_kafka:
    'of the time of the consuming process a fifth is collecting garbage, a seventh joining the pieces of each message, which the gRPC library does, and a tenth checksums; a decoder of our own that takes the pieces as they come would save the copy',
  p99_half_load_vs_kafka:
    'a record waits for the slowest of four processes that share the cores: collections of garbage and the turns of three event loops add up; cores of their own for each node would show it',
  kill_gap_kafka_over_ours:
    'the closed connection has to be seen, two rounds of promises flushed, and the news pushed to the client; on a busy machine each of these waits for a core',
  rss_vs_kafka:
    'a node keeps about 50 MB of program and 130 to 190 MB of heap and buffers under load, while a JVM of -Xmx1G grows into its heap only over minutes: in a run of minutes it is not full',
};

/** What is known of a goal that a run has missed. */
export function reasonOf(key: string): string {
  return reasons[key] ?? 'nothing is known of it';
}
