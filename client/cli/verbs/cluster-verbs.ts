/** `highwater cluster …`: what the cluster looks like, and moving things in it. */

import { nodeClock } from '../../../proto/ports/node/node-clock.ts';
import type { PartitionRef } from '../../admin/cluster-admin.ts';
import type { PartitionInfo } from '../../admin/topic-admin.ts';
import type { Client } from '../../client.ts';
import { pause } from '../../connection/waiting.ts';
import { clusterOptions, wholeNumber, wholeText, withClient } from '../cluster-option.ts';
import { exitCodes, UsageError, type Verb, type VerbInput } from '../verb.ts';
import { nodeList } from './topic-verbs.ts';

export const clusterDescribeVerb: Verb = {
  name: 'cluster describe',
  summary: 'Show the brokers, the voters and the health of all partitions.',
  options: clusterOptions,
  examples: ['highwater cluster describe', 'highwater cluster describe --json'],
  run: (input) =>
    withClient(input, async (client) => {
      const { output } = input;
      const { brokers, voters, ...cluster } = await client.admin.describeCluster({
        signal: input.signal,
      });
      if (output.isJson) {
        output.value({
          ...cluster,
          brokers: brokers.map((one) => one.node),
          voters: voters.map((one) => one.node),
        });
      } else output.value(cluster);
      output.say('');
      output.rows(
        ['node', 'address', 'rack', 'state', 'leaders', 'replicas'],
        brokers.map((broker) => ({ ...broker })),
      );
      output.say('');
      output.rows(
        ['voter', 'address', 'isActive', 'isLearner'],
        voters.map(({ node, ...voter }) => ({ voter: node, ...voter })),
      );
      return exitCodes.done;
    }),
};

export const clusterDrainVerb: Verb = {
  name: 'cluster drain',
  summary: 'Move leaderships away from a broker, before it is stopped.',
  positionals: ['<node>'],
  options: [{ name: 'undo', meaning: 'Let it lead again.' }, ...clusterOptions],
  examples: ['highwater cluster drain 2', 'highwater cluster drain 2 --undo'],
  run: (input) =>
    withClient(input, async (client) => {
      const node = nodeArgument(input);
      const options = { signal: input.signal, undo: input.has('undo') };
      const left = async () => (await client.admin.drain(node, options)).leadersLeft;
      const leadersLeft = options.undo
        ? await left()
        : await untilNone(input, left, (count) => `node ${node} still leads ${count} partitions`);
      input.output.value({ node, leadersLeft });
      return exitCodes.done;
    }),
};

export const clusterRemoveVerb: Verb = {
  name: 'cluster remove',
  summary: 'Move all replicas away from a broker and unregister it.',
  positionals: ['<node>'],
  options: clusterOptions,
  examples: ['highwater cluster remove 4'],
  run: (input) =>
    withClient(input, async (client) => {
      const node = nodeArgument(input);
      const left = async () =>
        (await client.admin.remove(node, { signal: input.signal })).replicasLeft;
      const replicasLeft = await untilNone(
        input,
        left,
        (count) => `node ${node} still holds ${count} replicas`,
      );
      input.output.value({ node, replicasLeft });
      return exitCodes.done;
    }),
};

export const clusterElectVerb: Verb = {
  name: 'cluster elect',
  summary: 'Elect another leader of a partition.',
  positionals: ['<topic/partition>'],
  options: [
    { name: 'leader', value: 'NODE', meaning: 'Who is to lead (default the preferred replica).' },
    { name: 'dry-run', meaning: 'Only show what each replica would lack.' },
    { name: 'unclean', meaning: 'Accept the loss that --dry-run shows.' },
    ...clusterOptions,
  ],
  examples: [
    'highwater cluster elect orders/3',
    'highwater cluster elect orders/3 --leader 2',
    'highwater cluster elect orders/3 --leader 2 --unclean --dry-run',
  ],
  run: (input) =>
    withClient(input, async (client) => {
      const target = partitionArgument(input);
      const leader = wholeNumber(input, 'leader', 1);
      const before = await partitionOf(client, target, input);
      checkElection(input, target, before, leader);
      const { candidates } = await client.admin.elect(target, {
        unclean: input.has('unclean'),
        dryRun: input.has('dry-run'),
        signal: input.signal,
        ...(leader === undefined ? {} : { leader }),
      });
      if (candidates.length > 0)
        input.output.rows(
          ['node', 'verifiedEpoch', 'storedEnd', 'recordsLostAtLeast', 'suspect', 'why'],
          candidates.map((candidate) => ({ ...candidate })),
        );
      else tellElection(input, target, before, leader);
      return exitCodes.done;
    }),
};

export const clusterReassignVerb: Verb = {
  name: 'cluster reassign',
  summary: 'Place the replicas of a partition on other brokers.',
  positionals: ['<topic/partition>', '[nodes]'],
  options: [{ name: 'cancel', meaning: 'Cancel a running move.' }, ...clusterOptions],
  examples: [
    'highwater cluster reassign orders/3 2,3,4',
    'highwater cluster reassign orders/3 --cancel',
  ],
  run: (input) =>
    withClient(input, async (client) => {
      const target = partitionArgument(input);
      const nodes = input.positionals[1];
      if ((nodes === undefined) !== input.has('cancel'))
        throw new UsageError('give the nodes in preference order, or --cancel');
      const replicas = nodes === undefined ? [] : nodeList(nodes, 'nodes');
      await client.admin.reassign(target, replicas, { signal: input.signal });
      input.output.say(`${target.topic}/${target.partition}: the move has begun`);
      return exitCodes.done;
    }),
};

export const clusterFeaturesVerb: Verb = {
  name: 'cluster features',
  summary: 'Show the feature level in use, or take a higher one into use.',
  positionals: ['[finalise]', '[level]'],
  options: clusterOptions,
  examples: ['highwater cluster features', 'highwater cluster features finalise'],
  run: (input) =>
    withClient(input, async (client) => {
      const [action, level] = input.positionals;
      const limits = { signal: input.signal };
      if (action === undefined) {
        const { featureLevel } = await client.admin.describeCluster(limits);
        input.output.value({ featureLevel });
        return exitCodes.done;
      }
      if (action !== 'finalise') throw new UsageError('expected: finalise [level], or nothing');
      const wanted = level === undefined ? 0 : wholeText(level, 'level', 1);
      const answer = await client.admin.finaliseFeatures(wanted, limits);
      input.output.value({ featureLevel: answer.level });
      return exitCodes.done;
    }),
};

/** The partition as it is before anything is asked for. */
async function partitionOf(
  client: Client,
  { topic, partition }: PartitionRef,
  { signal }: VerbInput,
): Promise<PartitionInfo | undefined> {
  const { partitions } = await client.admin.describeTopic(topic, { signal });
  return partitions.find((one) => one.partition === partition);
}

/** Without this a node that can never lead is waited for. */
function checkElection(
  input: VerbInput,
  { topic, partition }: PartitionRef,
  before: PartitionInfo | undefined,
  wanted: number | undefined,
): void {
  if (before === undefined || wanted === undefined) return;
  const { replicas, isr, leader } = before;
  if (!replicas.includes(wanted))
    throw new UsageError(
      `node ${wanted} has no replica of ${topic}/${partition}; they are on ${replicas.join(', ')}`,
    );
  if (leader !== undefined && !isr.includes(wanted) && !input.has('dry-run'))
    input.output.note(`node ${wanted} is not in sync; waiting until it is`);
}

/** What an election of a partition does that has a leader: nobody loses anything. */
function tellElection(
  { output, ...input }: VerbInput,
  { topic, partition }: PartitionRef,
  before: PartitionInfo | undefined,
  leader: number | undefined,
): void {
  const wanted = leader ?? before?.replicas[0];
  const isLeading = wanted === before?.leader;
  const isInSync = wanted !== undefined && before?.isr.includes(wanted) === true;
  if (input.has('dry-run')) {
    output.value({ topic, partition, leader: before?.leader, wanted, isInSync });
    output.say(
      isInSync
        ? 'There is a leader: it hands over in order, and nothing is lost.'
        : 'There is a leader, and this node is not in sync: it would be waited for.',
    );
  } else if (isLeading) output.say(`node ${wanted} leads ${topic}/${partition} already`);
  else output.say(`an election of ${topic}/${partition} has begun`);
}

/** Asks again until nothing is left, and tells how far it has come. */
async function untilNone(
  input: VerbInput,
  ask: () => Promise<number>,
  progress: (left: number) => string,
): Promise<number> {
  let told = -1;
  for (;;) {
    const left = await ask();
    if (left === 0) return left;
    if (left !== told) input.output.note(progress(left));
    told = left;
    await pause(nodeClock, 500, input.signal);
  }
}

function nodeArgument(input: VerbInput): number {
  return wholeText(input.positionals[0] ?? '', 'node', 1);
}

function partitionArgument(input: VerbInput): PartitionRef {
  const [word = ''] = input.positionals;
  const at = word.lastIndexOf('/');
  if (at < 1) throw new UsageError(`${JSON.stringify(word)}: expected topic/partition`);
  return { topic: word.slice(0, at), partition: wholeText(word.slice(at + 1), 'partition', 0) };
}
