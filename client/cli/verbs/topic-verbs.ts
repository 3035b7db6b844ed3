/** `highwater topic …` */
import type { TopicInfo } from '../../admin/topic-admin.ts';
import { clusterOptions, pairsOf, wholeNumber, wholeText, withClient } from '../cluster-option.ts';
import type { Row } from '../output.ts';
import { exitCodes, UsageError, type Verb } from '../verb.ts';

const configOption = {
  name: 'config',
  value: 'NAME=VALUE',
  meaning: 'A setting of the topic; may be given several times.',
  repeated: true,
} as const;

export const topicCreateVerb: Verb = {
  name: 'topic create',
  summary: 'Create a topic.',
  positionals: ['<topic>'],
  options: [
    { name: 'partitions', value: 'COUNT', meaning: 'How many partitions.', default: '1' },
    {
      name: 'replication-factor',
      value: 'COUNT',
      meaning: 'Replicas of each partition (default 3, or as many as there are brokers).',
    },
    configOption,
    {
      name: 'assign',
      value: 'NODES',
      meaning: 'Replicas of one partition, in preference order: 1,2,3; once for each partition.',
      repeated: true,
    },
    { name: 'validate-only', meaning: 'Check everything and change nothing.' },
    ...clusterOptions,
  ],
  examples: [
    'highwater topic create orders --partitions 6',
    'highwater topic create audit --config flush=ack --config min.insync.replicas=2',
    'highwater topic create pinned --assign 1,2,3 --assign 2,3,1',
  ],
  run(input) {
    const [name = ''] = input.positionals;
    const assignment = input.options('assign').map((word) => nodeList(word, '--assign'));
    const replicationFactor = wholeNumber(input, 'replication-factor', 1);
    const topic = {
      name,
      partitions: wholeNumber(input, 'partitions', 1) ?? 1,
      config: Object.fromEntries(pairsOf(input.options('config'), '--config')),
      validateOnly: input.has('validate-only'),
      ...(replicationFactor === undefined ? {} : { replicationFactor }),
      ...(assignment.length === 0 ? {} : { assignment }),
    };
    return withClient(input, async (client) => {
      const { topicId } = await client.admin.createTopic(topic, { signal: input.signal });
      input.output.value({ topic: name, topicId });
      return exitCodes.done;
    });
  },
};

export const topicListVerb: Verb = {
  name: 'topic list',
  summary: 'List the topics.',
  options: [{ name: 'internal', meaning: 'Also those of the cluster itself.' }, ...clusterOptions],
  examples: ['highwater topic list', 'highwater topic list --json | jq .name'],
  run: (input) =>
    withClient(input, async (client) => {
      const topics = await client.admin.listTopics({ signal: input.signal });
      const shown = topics.filter((topic) => input.has('internal') || !topic.isInternal);
      input.output.rows(
        ['topic', 'partitions', 'replicas', 'offline', 'underReplicated'],
        shown.map(({ name, partitions, replicationFactor, offline, underReplicated, topicId }) => ({
          topic: name,
          partitions,
          replicas: replicationFactor,
          offline,
          underReplicated,
          topicId,
        })),
      );
      return exitCodes.done;
    }),
};

export const topicDescribeVerb: Verb = {
  name: 'topic describe',
  summary: 'Show the partitions and settings of a topic.',
  positionals: ['<topic>'],
  options: [
    { name: 'settings', meaning: 'Also the settings that have their default.' },
    ...clusterOptions,
  ],
  examples: ['highwater topic describe orders', 'highwater topic describe orders --settings'],
  run: (input) =>
    withClient(input, async (client) => {
      const [name = ''] = input.positionals;
      const topic = await client.admin.describeTopic(name, { signal: input.signal });
      input.output.rows(
        ['partition', 'leader', 'epoch', 'replicas', 'isr', 'elr', 'waitingFor'],
        partitionRows(topic),
      );
      const settings = topic.settings.filter((one) => input.has('settings') || !one.isDefault);
      if (settings.length === 0) return exitCodes.done;
      input.output.say('');
      input.output.rows(
        ['setting', 'value', 'default'],
        settings.map(({ name: setting, value, isDefault }) => ({
          setting,
          value,
          default: isDefault,
        })),
      );
      return exitCodes.done;
    }),
};

export const topicAlterVerb: Verb = {
  name: 'topic alter',
  summary: 'Change the settings of a topic, or give it more partitions.',
  positionals: ['<topic>'],
  options: [
    configOption,
    {
      name: 'reset',
      value: 'NAME',
      meaning: 'A setting that goes back to its default; may be given several times.',
      repeated: true,
    },
    { name: 'partitions', value: 'COUNT', meaning: 'The new total.' },
    ...clusterOptions,
  ],
  examples: [
    'highwater topic alter orders --config retention.ms=86400000',
    'highwater topic alter orders --partitions 12',
  ],
  run(input) {
    const [name = ''] = input.positionals;
    const partitions = wholeNumber(input, 'partitions', 1);
    const changes: Record<string, string | undefined> = Object.fromEntries(
      pairsOf(input.options('config'), '--config'),
    );
    for (const setting of input.options('reset')) changes[setting] = undefined;
    if (partitions === undefined && Object.keys(changes).length === 0)
      throw new UsageError('nothing to change: give --config, --reset or --partitions');
    return withClient(input, async (client) => {
      const limits = { signal: input.signal };
      if (Object.keys(changes).length > 0) await client.admin.alterTopic(name, changes, limits);
      if (partitions !== undefined) await client.admin.addPartitions(name, partitions, limits);
      input.output.say(`${name} is changed`);
      return exitCodes.done;
    });
  },
};

export const topicDeleteVerb: Verb = {
  name: 'topic delete',
  summary: 'Delete a topic, or the old records of one partition.',
  positionals: ['<topic>'],
  options: [
    { name: 'partition', value: 'NUMBER', meaning: 'With --before: of this partition.' },
    {
      name: 'before',
      value: 'OFFSET',
      meaning: 'Delete only the records below this offset, and keep the topic.',
    },
    ...clusterOptions,
  ],
  examples: [
    'highwater topic delete orders',
    'highwater topic delete orders --partition 3 --before 120000',
  ],
  run(input) {
    const [topic = ''] = input.positionals;
    const partition = wholeNumber(input, 'partition', 0);
    const before = wholeNumber(input, 'before', 0);
    if ((partition === undefined) !== (before === undefined))
      throw new UsageError('--partition and --before go together');
    return withClient(input, async (client) => {
      const limits = { signal: input.signal };
      if (partition === undefined || before === undefined) {
        await client.admin.deleteTopic(topic, limits);
        input.output.say(`${topic} is deleted`);
        return exitCodes.done;
      }
      const target = { topic, partition, before: BigInt(before) };
      const { logStartOffset } = await client.admin.deleteRecords(target, limits);
      input.output.value({ topic, partition, logStartOffset });
      return exitCodes.done;
    });
  },
};

/** Node ids with commas between. */
export function nodeList(word: string, what: string): number[] {
  return word.split(',').map((node) => wholeText(node, what, 1));
}

function partitionRows(topic: TopicInfo): Row[] {
  return topic.partitions.map((one) => ({
    partition: one.partition,
    leader: one.leader,
    epoch: one.leaderEpoch,
    replicas: one.replicas,
    isr: one.isr,
    elr: one.elr,
    semiSyncMembers: one.semiSyncMembers,
    waitingFor: one.waitingFor === '' ? undefined : one.waitingFor,
  }));
}
