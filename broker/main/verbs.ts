/** Every verb of the command line, in the order of the help. */
import type { LazyVerb } from '../../client/cli/command-line.ts';

export const verbs: readonly LazyVerb[] = [
  {
    name: 'dev',
    summary: 'Run a whole cluster on this machine, with its dashboard.',
    load: async () => (await import('./dev-verb.ts')).devVerb,
  },
  {
    name: 'demo',
    summary: 'Show how replication behaves when things fail, with a verdict.',
    load: async () => (await import('./demo/demo-verb.ts')).demoVerb,
  },
  {
    name: 'server',
    summary: 'Run one node of a cluster.',
    load: async () => (await import('./server-verb.ts')).serverVerb,
  },
  {
    name: 'topic create',
    summary: 'Create a topic.',
    load: async () => (await import('../../client/cli/verbs/topic-verbs.ts')).topicCreateVerb,
  },
  {
    name: 'topic list',
    summary: 'List the topics.',
    load: async () => (await import('../../client/cli/verbs/topic-verbs.ts')).topicListVerb,
  },
  {
    name: 'topic describe',
    summary: 'Show the partitions and settings of a topic.',
    load: async () => (await import('../../client/cli/verbs/topic-verbs.ts')).topicDescribeVerb,
  },
  {
    name: 'topic alter',
    summary: 'Change the settings of a topic, or give it more partitions.',
    load: async () => (await import('../../client/cli/verbs/topic-verbs.ts')).topicAlterVerb,
  },
  {
    name: 'topic delete',
    summary: 'Delete a topic, or the old records of one partition.',
    load: async () => (await import('../../client/cli/verbs/topic-verbs.ts')).topicDeleteVerb,
  },
  {
    name: 'produce',
    summary: 'Write the lines of standard input as records.',
    load: async () => (await import('../../client/cli/verbs/produce-verb.ts')).produceVerb,
  },
  {
    name: 'consume',
    summary: 'Print the records of a topic.',
    load: async () => (await import('../../client/cli/verbs/consume-verb.ts')).consumeVerb,
  },
  {
    name: 'group list',
    summary: 'List the consumer groups.',
    load: async () => (await import('../../client/cli/verbs/group-verbs.ts')).groupListVerb,
  },
  {
    name: 'group describe',
    summary: 'Show the members of a group and how far behind it is.',
    load: async () => (await import('../../client/cli/verbs/group-verbs.ts')).groupDescribeVerb,
  },
  {
    name: 'group reset',
    summary: 'Move the committed offsets of a group that has no members.',
    load: async () => (await import('../../client/cli/verbs/group-verbs.ts')).groupResetVerb,
  },
  {
    name: 'group delete',
    summary: 'Delete a group that has no members, with its committed offsets.',
    load: async () => (await import('../../client/cli/verbs/group-verbs.ts')).groupDeleteVerb,
  },
  {
    name: 'cluster describe',
    summary: 'Show the brokers, the voters and the health of all partitions.',
    load: async () => (await import('../../client/cli/verbs/cluster-verbs.ts')).clusterDescribeVerb,
  },
  {
    name: 'cluster events',
    summary: 'Tell what happened in the cluster and why.',
    load: async () => (await import('../../client/cli/verbs/events-verb.ts')).clusterEventsVerb,
  },
  {
    name: 'cluster drain',
    summary: 'Move leaderships away from a broker, before it is stopped.',
    load: async () => (await import('../../client/cli/verbs/cluster-verbs.ts')).clusterDrainVerb,
  },
  {
    name: 'cluster remove',
    summary: 'Move all replicas away from a broker and unregister it.',
    load: async () => (await import('../../client/cli/verbs/cluster-verbs.ts')).clusterRemoveVerb,
  },
  {
    name: 'cluster elect',
    summary: 'Elect another leader of a partition.',
    load: async () => (await import('../../client/cli/verbs/cluster-verbs.ts')).clusterElectVerb,
  },
  {
    name: 'cluster reassign',
    summary: 'Place the replicas of a partition on other brokers.',
    load: async () => (await import('../../client/cli/verbs/cluster-verbs.ts')).clusterReassignVerb,
  },
  {
    name: 'cluster voters',
    summary: 'List the voters of the controllers, add or remove one, or move the active part.',
    load: async () => (await import('../../client/cli/verbs/voters-verb.ts')).clusterVotersVerb,
  },
  {
    name: 'cluster recover',
    summary: 'After a majority of the controllers was lost: go on with one stopped survivor alone.',
    load: async () => (await import('./recover-verb.ts')).clusterRecoverVerb,
  },
  {
    name: 'cluster features',
    summary: 'Show the feature level in use, or take a higher one into use.',
    load: async () => (await import('../../client/cli/verbs/cluster-verbs.ts')).clusterFeaturesVerb,
  },
  {
    name: 'log dump',
    summary: 'Print the batches or records of one log of a stopped node.',
    load: async () => (await import('./log-verbs.ts')).logDumpVerb,
  },
  {
    name: 'log verify',
    summary: 'Check the logs of a stopped node.',
    load: async () => (await import('./log-verbs.ts')).logVerifyVerb,
  },
  {
    name: 'bench produce',
    summary: 'Write random records as fast as they are acknowledged.',
    load: async () => (await import('../../client/cli/verbs/bench-verbs.ts')).benchProduceVerb,
  },
  {
    name: 'bench consume',
    summary: 'Read a topic from its start, as fast as it comes.',
    load: async () => (await import('../../client/cli/verbs/bench-verbs.ts')).benchConsumeVerb,
  },
  {
    name: 'bench latency',
    summary: 'Write at a steady rate; percentiles from the intended send to the acknowledgement.',
    load: async () => (await import('../../client/cli/verbs/bench-verbs.ts')).benchLatencyVerb,
  },
  {
    name: 'bench failover',
    summary: 'Kill, stop and move leaders under load; the longest gaps between acknowledgements.',
    load: async () => (await import('./repository-bench-verbs.ts')).benchFailoverVerb,
  },
  {
    name: 'bench compare',
    summary:
      'The same loads on Highwater, Kafka and NATS JetStream; npm run peers brings the peers.',
    load: async () => (await import('./repository-bench-verbs.ts')).benchCompareVerb,
  },
  {
    name: 'completion',
    summary: 'Print a script that completes verbs and options in a shell.',
    load: async () =>
      (await import('../../client/cli/verbs/completion-verb.ts')).completionVerb(verbs),
  },
];
