/**
 * What a few hundred seeds of whole clusters have to come to: the situations that the rules are about.
 * A set of seeds that never gets to one of them shows nothing about it.
 */
export const clusterGoals: readonly string[] = [
  // Every level is acknowledged, retries are recognised, and sends end in doubt.
  'ack all',
  'ack leader',
  'ack none',
  'ack semi-sync',
  'semi-sync degraded ack',
  'retry answered as a duplicate',
  'send OUT_OF_ORDER_SEQUENCE maybe-written',
  // Elections: by promise rounds, planned, waiting for somebody, of replicas outside the in-sync set.
  'promised',
  'leader-elected',
  'round-opened',
  'round-waiting',
  'hand-over-asked',
  'eligible replica elected',
  'stepped-down',
  'truncated',
  // The sets of a partition.
  'isr-shrink-proposed',
  'isr-expand-proposed',
  'eligible outside the in-sync set',
  'suspect replica',
  'semi-sync member outside the in-sync set',
  'semi-sync members settled',
  'reassignment-started',
  // Brokers and controllers.
  'broker-fenced',
  'lease-lost',
  'write without a lease refused',
  'node-stopped in order',
  'disk-lost',
  'quorum-stepped-down no-majority-heard',
  'quorum-stepped-down higher-term',
  'quorum-log-cut',
  'quorum-campaign transfer',
  // Disks.
  'journal flushed',
  'journal redone',
  'log-tail-cut',
  'segment read while serving',
  'tight tailCacheBytes',
  'tight writeBytesMax',
  'tight readBuffersBytesMax',
  'tight unstoredBytesPerLogMax',
  'tight idleHandlesMax',
  'tight journalFileBytes',
  'tight checkpointMs',
  // Compaction.
  'log-compacted',
  // Topics come and go, and logs with them; a node that was away finds logs that it has no more.
  'topic made again',
  'log deleted',
  'log set aside',
  // Somebody administers meanwhile.
  'operator: elect',
  'operator: reassign',
  'operator: drain',
  'operator: alter',
  'voters: add',
  'voters: remove',
];
