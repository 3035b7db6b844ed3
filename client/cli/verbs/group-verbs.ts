/** `highwater group …` */
import type { GroupInfo } from '../../admin/group-admin.ts';
import type { ReadStart } from '../../reader/start-offsets.ts';
import { clusterOptions, wholeNumber, withClient } from '../cluster-option.ts';
import type { Row } from '../output.ts';
import { exitCodes, UsageError, type Verb, type VerbInput } from '../verb.ts';

export const groupListVerb: Verb = {
  name: 'group list',
  summary: 'List the consumer groups.',
  options: clusterOptions,
  examples: ['highwater group list', 'highwater group list --json | jq .group'],
  run: (input) =>
    withClient(input, async (client) => {
      const groups = await client.groups.list({ signal: input.signal });
      input.output.rows(
        ['group', 'state', 'members'],
        groups.map(({ group, state, members }) => ({ group, state, members })),
      );
      return exitCodes.done;
    }),
};

export const groupDescribeVerb: Verb = {
  name: 'group describe',
  summary: 'Show the members of a group and how far behind it is.',
  positionals: ['<group>'],
  options: [
    { name: 'members', meaning: 'The members instead of the partitions.' },
    ...clusterOptions,
  ],
  examples: ['highwater group describe billing', 'highwater group describe billing --members'],
  run: (input) =>
    withClient(input, async (client) => {
      const [name = ''] = input.positionals;
      const group = await client.groups.describe(name, { signal: input.signal });
      const { state, generation, assignor, members } = group;
      input.output.say(
        `${name}: ${state}, ${members.length} members, generation ${generation}, ${assignor}`,
      );
      if (input.has('members'))
        input.output.rows(['member', 'instance', 'client', 'held', 'target'], memberRows(group));
      else
        input.output.rows(
          ['topic', 'partition', 'committed', 'watermark', 'lag', 'lagBytes', 'lagMs', 'member'],
          lagRows(group),
        );
      return exitCodes.done;
    }),
};

export const groupResetVerb: Verb = {
  name: 'group reset',
  summary: 'Move the committed offsets of a group that has no members.',
  positionals: ['<group>', '<topic>'],
  options: [
    {
      name: 'to',
      value: 'PLACE',
      meaning: 'earliest, latest, an offset, last:COUNT, or time:MS or time:ISO.',
    },
    { name: 'partition', value: 'NUMBER', meaning: 'One partition; all of them if absent.' },
    { name: 'dry-run', meaning: 'Say what would be done, and do nothing.' },
    ...clusterOptions,
  ],
  examples: [
    'highwater group reset billing orders --to earliest --dry-run',
    'highwater group reset billing orders --to time:2026-01-31T12:00:00Z',
    'highwater group reset billing orders --partition 3 --to 1200',
  ],
  run: (input) =>
    withClient(input, async (client) => {
      const [group = '', topic = ''] = input.positionals;
      const partition = wholeNumber(input, 'partition', 0);
      const steps = await client.groups.reset(
        group,
        {
          topic,
          to: placeOf(input),
          dryRun: input.has('dry-run'),
          ...(partition === undefined ? {} : { partition }),
        },
        { signal: input.signal },
      );
      input.output.rows(
        ['topic', 'partition', 'from', 'to'],
        steps.map((step) => ({ ...step, from: step.from })),
      );
      if (input.has('dry-run')) input.output.say('Nothing was changed: this was a dry run.');
      return exitCodes.done;
    }),
};

export const groupDeleteVerb: Verb = {
  name: 'group delete',
  summary: 'Delete a group that has no members, with its committed offsets.',
  positionals: ['<group>'],
  options: clusterOptions,
  examples: ['highwater group delete billing'],
  run: (input) =>
    withClient(input, async (client) => {
      const [group = ''] = input.positionals;
      await client.groups.delete(group, { signal: input.signal });
      input.output.value({ group, deleted: true });
      return exitCodes.done;
    }),
};

function memberRows({ members }: GroupInfo): Row[] {
  return members.map(({ member, instance, clientHost, held, target }) => ({
    member,
    instance,
    client: clientHost,
    held: held.join(' '),
    target: target.join(' '),
  }));
}

function lagRows({ partitions }: GroupInfo): Row[] {
  return partitions.map((one) => ({
    topic: one.topic,
    partition: one.partition,
    committed: one.committed,
    watermark: one.highWatermark,
    lag: one.lagRecords,
    lagBytes: one.lagBytes,
    lagMs: one.lagMs === undefined ? undefined : Math.round(one.lagMs),
    member: one.member,
  }));
}

function placeOf(input: VerbInput): ReadStart {
  const word = input.option('to');
  if (word === undefined) throw new UsageError('--to: say where the group is to go on');
  if (word === 'earliest' || word === 'latest') return word;
  if (/^\d{1,16}$/.test(word)) return { offset: BigInt(word) };
  const [kind, rest] = [word.slice(0, word.indexOf(':')), word.slice(word.indexOf(':') + 1)];
  if (kind === 'last' && /^\d{1,16}$/.test(rest)) return { last: Number(rest) };
  const timestamp = /^\d{1,16}$/.test(rest) ? Number(rest) : Date.parse(rest);
  if (kind === 'time' && Number.isSafeInteger(timestamp) && timestamp >= 0) return { timestamp };
  throw new UsageError(
    `--to ${JSON.stringify(word)}: expected earliest, latest, an offset, last:COUNT or time:WHEN`,
  );
}
