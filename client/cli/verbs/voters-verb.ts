/** `highwater cluster voters`: who decides, and changing that one at a time. */
import type { VoterInfo } from '../../admin/cluster-admin.ts';
import type { Client } from '../../client.ts';
import { clusterOptions, wholeText, withClient } from '../cluster-option.ts';
import { exitCodes, UsageError, type Verb, type VerbInput } from '../verb.ts';

export const clusterVotersVerb: Verb = {
  name: 'cluster voters',
  summary: 'List the voters of the controllers, add or remove one, or move the active part.',
  positionals: ['[list|add|remove|transfer]', '[node]'],
  options: [
    {
      name: 'address',
      value: 'HOST:PORT',
      meaning: 'Where an added node listens for its peers; needed for one that is no broker.',
    },
    ...clusterOptions,
  ],
  examples: [
    'highwater cluster voters',
    'highwater cluster voters add 4',
    'highwater cluster voters add 4 --address 10.0.0.4:9093',
    'highwater cluster voters remove 1',
    'highwater cluster voters transfer 2',
  ],
  run: (input) =>
    withClient(input, async (client) => {
      const [action = 'list', node] = input.positionals;
      if (action !== 'list') await change(input, client, action, node);
      else if (node !== undefined) throw new UsageError('list takes no node');
      const { voters } = await client.admin.describeCluster({ signal: input.signal });
      input.output.rows(
        ['node', 'address', 'isActive', 'isLearner', 'storageId'],
        voters.map((voter) => ({ ...voter })),
      );
      return exitCodes.done;
    }),
};

async function change(
  input: VerbInput,
  client: Client,
  action: string,
  node: string | undefined,
): Promise<void> {
  const limits = { signal: input.signal };
  if (node === undefined) {
    if (action !== 'transfer') throw new UsageError('expected: list, add, remove or transfer');
    return moveTo(input, client, await anotherVoter(input, client));
  }
  const id = wholeText(node, 'node', 1);
  const address = input.option('address');
  switch (action) {
    case 'add':
      input.output.note(`node ${id} catches up, then it votes`);
      return client.admin.addVoter(id, {
        ...limits,
        ...(address === undefined ? {} : { address }),
      });
    case 'remove':
      await expectVoter(input, client, id);
      return client.admin.removeVoter(id, limits);
    case 'transfer':
      await expectVoter(input, client, id);
      return moveTo(input, client, id);
    default:
      throw new UsageError('expected: list, add, remove or transfer');
  }
}

async function moveTo({ output, signal }: VerbInput, client: Client, node: number): Promise<void> {
  await client.admin.transferController(node, { signal });
  output.note(`node ${node} was asked to be the active controller`);
}

/** Nobody removes a voter by a slip of the finger and is told that it went well. */
async function expectVoter(input: VerbInput, client: Client, id: number): Promise<void> {
  const voters = await votersOf(input, client);
  if (voters.some(({ node }) => node === id)) return;
  const nodes = voters.map(({ node }) => node).join(', ');
  throw new UsageError(`node ${id} is no voter; the voters are ${nodes}`);
}

async function anotherVoter(input: VerbInput, client: Client): Promise<number> {
  const voters = await votersOf(input, client);
  const other = voters.find(({ isActive, isLearner }) => !isActive && !isLearner);
  if (other === undefined) throw new UsageError('there is no other voter to hand over to');
  return other.node;
}

async function votersOf({ signal }: VerbInput, client: Client): Promise<readonly VoterInfo[]> {
  return (await client.admin.describeCluster({ signal })).voters;
}
