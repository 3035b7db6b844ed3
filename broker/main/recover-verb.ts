/** `highwater cluster recover`: goes on with one surviving controller after a majority was lost. */
import { resolve } from 'node:path';
import { exitCodes, UsageError, type Verb, type VerbInput } from '../../client/cli/verb.ts';
import { goOnAlone, type Survey, surveyController } from '../../controller/lost-quorum.ts';
import { type Voter, voterId } from '../../controller/raft/core/voter.ts';
import { quorumTables } from '../../controller/raft/store-rows.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { KeyValueStore } from '../../proto/ports/key-value.ts';
import { lmdbKeyValueOpener } from '../../proto/ports/node/lmdb-key-value.ts';
import { nodeClock } from '../../proto/ports/node/node-clock.ts';
import { nodeFileSystem } from '../../proto/ports/node/node-file-system.ts';
import { type DirectoryIdentity, readIdentity } from '../log/data-directory.ts';
import { logTables } from '../log/log-store.ts';
import { hostAndPort } from './addresses.ts';

export const clusterRecoverVerb: Verb = {
  name: 'cluster recover',
  summary: 'After a majority of the controllers was lost: go on with one stopped survivor alone.',
  options: [
    { name: 'data', value: 'DIR', meaning: 'Data directory of the survivor.', default: './data' },
    {
      name: 'address',
      value: 'HOST:PORT',
      meaning: 'Where it listens for its peers, if that is not where it did.',
    },
    { name: 'accept-loss', meaning: 'Do it; without this only what may be lost is printed.' },
  ],
  examples: [
    'highwater cluster recover --data ./data/node-1',
    'highwater cluster recover --data ./data/node-1 --accept-loss',
  ],
  run: (input) =>
    withStore(resolve(input.option('data') ?? './data'), async (store, identity) => {
      const survey = surveyController(store);
      tell(input, survey, identity);
      if (!input.has('accept-loss')) {
        input.output.say('\nNothing was changed. To go on in spite of it: --accept-loss');
        return exitCodes.done;
      }
      await goOnAlone(store, survivor(survey, identity, input.option('address')));
      input.output.say(
        `\nNode ${identity.nodeId} is the only voter from here on. Start it, empty the directories of all other\n` +
          'controllers before they are started, and add them with: highwater cluster voters add',
      );
      return exitCodes.done;
    }),
};

function tell({ output }: VerbInput, survey: Survey, { nodeId, clusterId }: DirectoryIdentity) {
  const { term, lastTerm, lastIndex, damagedFrom, voters, image } = survey;
  output.value({
    cluster: clusterId,
    node: nodeId,
    term,
    lastTerm,
    lastIndex,
    ...(damagedFrom === undefined ? {} : { damagedFrom }),
    voters: voters.map((voter) => voter.nodeId),
    brokers: [...image.brokers.keys()],
    topics: image.topics.size,
    partitions: image.partitionCount,
  });
  output.say(`
Use this only if a majority of the voters ${voters.map((voter) => voter.nodeId).join(', ')} lost their storage for good.
While they can be started, start them instead: nothing is lost then.

What may be lost: every change of the metadata that was acknowledged after entry ${lastIndex} of this log.
  - topics created, deleted or changed, partitions added and moved since then
  - who was in sync and who led: every partition holds an election, in which its replicas say what they have.
    Records acknowledged by replicas that do not come back may be missing, as after an unclean election.
If several controllers survived, run this on each without --accept-loss, and go on with the one that has the
greatest lastTerm, then the greatest lastIndex.`);
}

/** The voter that it was, perhaps at another address. */
function survivor(
  { voters }: Survey,
  { nodeId, storageId }: DirectoryIdentity,
  address: string | undefined,
): Voter {
  const id = voterId(nodeId, storageId);
  const before = voters.find((voter) => voter.id === id);
  if (address === undefined) {
    if (before !== undefined) return before;
    throw new UsageError(`node ${nodeId} was no voter: say where it listens, with --address`);
  }
  const { host, port } = hostAndPort(address);
  return { id, nodeId, storageId, host, port };
}

async function withStore(
  path: string,
  work: (store: KeyValueStore, identity: DirectoryIdentity) => Promise<number>,
): Promise<number> {
  const fs = nodeFileSystem({});
  const identity = (await fs.stat(`${path}/meta`)) && (await readIdentity(fs, path));
  if (identity === undefined)
    throw new HighwaterError('INVALID_CONFIG', `${path} is not the data directory of a node`);
  const lock = await fs.lock(`${path}/lock`);
  if (lock === undefined)
    throw new HighwaterError('INVALID_CONFIG', `A node is using ${path}; stop it first.`);
  const store = await lmdbKeyValueOpener({ clock: nodeClock }).open(`${path}/meta`, {
    durability: 'synced',
    tables: [...logTables, ...quorumTables],
  });
  try {
    return await work(store, identity);
  } finally {
    await store.close();
    await lock.release();
  }
}
