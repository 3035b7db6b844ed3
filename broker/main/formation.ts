/**
 * How a directory without a cluster gets one. Voters of `--quorum` that all meet empty form a cluster:
 * the one with the lowest id proposes the cluster id and the voters' storages, every other one formats
 * its directory and says so, then the proposer formats its own. Whoever meets a formatted node joins
 * that cluster and never forms another.
 *
 * Each step is durable before it is told: an empty node keeps the storage id that it has shown, and the
 * proposer keeps its proposal, so a crash anywhere ends in the same cluster.
 */
import type { Formation } from '../../proto/generated/highwater/peer/v1/control.ts';
import { answerControl, callControl, controlMethods } from '../../proto/link/control-methods.ts';
import { acceptRequests, type LinkRequests, openRequests } from '../../proto/link/requests.ts';
import {
  type ClusterId,
  clusterId,
  type NodeId,
  nodeId,
  type StorageId,
  storageId,
} from '../../proto/model/ids.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { LinkEndpoint, PeerAddress } from '../../proto/ports/link.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import type { Random } from '../../proto/ports/random.ts';
import { readCheckedFile, writeCheckedFile } from '../log/checked-file.ts';
import type { DataDirectory } from '../log/data-directory.ts';

export interface FormationOptions {
  readonly nodeId: NodeId;
  readonly isVoter: boolean;
  readonly quorum: readonly PeerAddress[];
  readonly directory: DataDirectory;
  readonly endpoint: LinkEndpoint;
  readonly storageId: StorageId;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const askMs = 1_000;
const retryMs = 50;
/** Time for an answer to leave before its link is closed. */
const answeredMs = 5;

/** The storage id of an empty directory: made once, kept from before it is shown to anybody. */
export async function storageIdOf(directory: DataDirectory, random: Random): Promise<StorageId> {
  if (directory.identity !== undefined) return directory.identity.storageId;
  const kept = await readCheckedFile(directory.fs, `${directory.path}/formation`);
  const text = kept?.['storageId'];
  if (typeof text === 'string') return storageId(text);
  const made = storageId(random.uuid());
  await writeCheckedFile(
    directory.fs,
    { directory: directory.path, name: 'formation' },
    { storageId: made },
  );
  return made;
}

/**
 * The voters that this node founded its cluster with; undefined for one that joined later. They are
 * the quorum's first configuration.
 */
export async function readFormation(directory: DataDirectory): Promise<Formation | undefined> {
  const kept = await readCheckedFile(directory.fs, `${directory.path}/formation`);
  const cluster = kept?.['clusterId'];
  const voters = kept?.['voters'];
  if (typeof cluster !== 'string' || !Array.isArray(voters)) return undefined;
  return {
    clusterId: clusterId(cluster),
    voters: voters.map((voter: { nodeId: number; storageId: string }) => ({
      nodeId: nodeId(voter.nodeId),
      storageId: storageId(voter.storageId),
    })),
  };
}

async function writeFormation(
  directory: DataDirectory,
  own: StorageId,
  formation: Formation,
): Promise<void> {
  const content = {
    storageId: own,
    clusterId: formation.clusterId,
    voters: formation.voters.map((voter) => ({ ...voter })),
  };
  await writeCheckedFile(directory.fs, { directory: directory.path, name: 'formation' }, content);
}

/** Resolves once the directory is formatted. */
export async function joinOrForm(options: FormationOptions): Promise<void> {
  const { directory, endpoint, clock, logger, nodeId, signal } = options;
  const meeting = new Meeting(options);
  acceptRequests(
    endpoint,
    'control',
    () => ({
      calls: new Map([answerControl(controlMethods.meet, (request) => meeting.answer(request))]),
    }),
    { clock, logger },
  );
  logger.info(
    'cluster-awaited',
    'The directory is empty: looking for a cluster, or for the voters to form one.',
    { nodeId },
  );
  while (directory.identity === undefined && !signal.aborted) {
    await meeting.round();
    if (directory.identity === undefined) await meeting.pause();
  }
  // Whoever told this node of the cluster waits to hear that it has formatted its directory.
  await new Promise<void>((resolve) => void clock.after(answeredMs, resolve));
  meeting.close();
}

class Meeting {
  readonly #options: FormationOptions;
  readonly #requests = new Map<NodeId, LinkRequests>();
  /** Voters that were met empty, with the storage they showed. */
  readonly #met = new Map<NodeId, StorageId>();
  /** The one attempt to format: a node may be told of the cluster and find it at the same moment. */
  #formatting: Promise<void> | undefined;
  /** A voter has come up, or this node belongs to a cluster. */
  #onNews: () => void = () => undefined;

  constructor(options: FormationOptions) {
    this.#options = options;
  }

  /** What this node says of itself; a formation that names its storage formats it first. */
  async answer(request: {
    readonly nodeId: NodeId;
    readonly formation?: Formation | undefined;
  }): Promise<{ storageId: StorageId; clusterId?: string }> {
    const { directory, storageId: own } = this.#options;
    if (!this.#met.has(request.nodeId)) this.#onNews();
    if (directory.identity === undefined && request.formation !== undefined)
      await this.#take(request.formation);
    const cluster = directory.identity?.clusterId;
    return cluster === undefined ? { storageId: own } : { storageId: own, clusterId: cluster };
  }

  /** Asks everybody once; joins, or proposes when all voters are there. */
  async round(): Promise<void> {
    const { quorum, nodeId, directory, isVoter } = this.#options;
    const others = quorum.filter((voter) => voter.nodeId !== nodeId);
    const found = await Promise.all(others.map((voter) => this.#meet(voter, undefined)));
    const cluster = found.find((one) => one !== undefined);
    if (directory.identity !== undefined) return;
    if (cluster !== undefined) return this.#format(cluster);
    const lowest = Math.min(...quorum.map((voter) => voter.nodeId));
    if (!isVoter || nodeId !== lowest || this.#met.size < others.length) return;
    await this.#propose(await this.#proposal(others), others);
  }

  /** Before the next round: no longer than until there is news. */
  pause(): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const timer = clock.after(retryMs, resolve);
      this.#onNews = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  close(): void {
    for (const requests of this.#requests.values()) requests.close();
  }

  /** The proposal, durable before it is told: after a crash the same one is made again. */
  async #proposal(others: readonly PeerAddress[]): Promise<Formation> {
    const { directory, random, nodeId: self, storageId: own } = this.#options;
    const kept = await readFormation(directory);
    if (kept !== undefined) return kept;
    const met = others.map((voter) => ({
      nodeId: voter.nodeId,
      storageId: this.#met.get(voter.nodeId) ?? own,
    }));
    const made = {
      clusterId: clusterId(random.uuid()),
      voters: [{ nodeId: self, storageId: own }, ...met],
    };
    await writeFormation(directory, own, made);
    return made;
  }

  async #propose(formation: Formation, others: readonly PeerAddress[]): Promise<void> {
    const answers = await Promise.all(others.map((voter) => this.#meet(voter, formation)));
    if (answers.every((cluster) => cluster === formation.clusterId))
      await this.#format(formation.clusterId);
  }

  async #take(formation: Formation): Promise<void> {
    const { nodeId, storageId: own, directory } = this.#options;
    const isNamed = formation.voters.some(
      (voter) => voter.nodeId === nodeId && voter.storageId === own,
    );
    if (!isNamed) return;
    this.#formatting ??= writeFormation(directory, own, formation).then(() =>
      this.#formatAs(formation.clusterId),
    );
    await this.#formatting;
  }

  #format(cluster: ClusterId): Promise<void> {
    this.#formatting ??= this.#formatAs(cluster);
    return this.#formatting;
  }

  async #formatAs(cluster: ClusterId): Promise<void> {
    const { directory, nodeId, storageId: own, logger } = this.#options;
    await directory.format({ clusterId: cluster, nodeId, storageId: own });
    logger.info('directory-formatted', 'The directory belongs to a cluster from here on.', {
      clusterId: cluster,
      nodeId,
    });
    this.#onNews();
  }

  /** The cluster of a peer, if it has one. */
  async #meet(
    voter: PeerAddress,
    formation: Formation | undefined,
  ): Promise<ClusterId | undefined> {
    const { nodeId, storageId: own } = this.#options;
    try {
      const requests = this.#requestsTo(voter);
      const answer = await callControl(
        requests,
        controlMethods.meet,
        { nodeId, storageId: own, formation },
        askMs,
      );
      if (answer.clusterId !== undefined) return clusterId(answer.clusterId);
      this.#met.set(voter.nodeId, answer.storageId);
    } catch {
      this.#met.delete(voter.nodeId);
    }
    return undefined;
  }

  #requestsTo(voter: PeerAddress): LinkRequests {
    const open = this.#requests.get(voter.nodeId);
    if (open !== undefined) return open;
    const { endpoint, clock, logger } = this.#options;
    const onClose = (): void => void this.#requests.delete(voter.nodeId);
    const requests = openRequests(
      endpoint,
      { to: voter, kind: 'control' },
      { onClose },
      { clock, logger },
    );
    this.#requests.set(voter.nodeId, requests);
    return requests;
  }
}
