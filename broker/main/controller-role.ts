/** The controller role of a node: a member of the quorum, with everything that the active one decides. */

import { ActiveNotice } from '../../controller/active-notice.ts';
import { adminDecisions } from '../../controller/admin-decisions.ts';
import { probeBroker } from '../../controller/broker-probe.ts';
import { ClusterWatch } from '../../controller/cluster-watch.ts';
import { controlService } from '../../controller/control-service.ts';
import { DecisionQueue } from '../../controller/decision-queue.ts';
import { EventJournal } from '../../controller/event-journal.ts';
import { found } from '../../controller/founding.ts';
import { JournalFollower } from '../../controller/journal-follower.ts';
import { MetadataFeed } from '../../controller/metadata-feed.ts';
import { MetadataMachine } from '../../controller/metadata-machine.ts';
import { tellOwnElection } from '../../controller/own-election.ts';
import { type Voter, voterId } from '../../controller/raft/core/voter.ts';
import { Quorum } from '../../controller/raft/driver.ts';
import { openQuorumStore } from '../../controller/raft/store.ts';
import { createLinkTransport } from '../../controller/raft/transport.ts';
import { VoterChanges } from '../../controller/voter-changes.ts';
import type { Formation } from '../../proto/generated/highwater/peer/v1/control.ts';
import { acceptRequests } from '../../proto/link/requests.ts';
import type { MetadataImage } from '../../proto/metadata/image.ts';
import type { ClusterId, NodeId, StorageId } from '../../proto/model/ids.ts';
import type { KeyValueStore } from '../../proto/ports/key-value.ts';
import type { LinkEndpoint, PeerAddress } from '../../proto/ports/link.ts';
import type { Machine } from './machine.ts';

export interface ControllerRoleOptions {
  readonly machine: Machine;
  readonly nodeId: NodeId;
  readonly clusterId: ClusterId;
  readonly storageId: StorageId;
  readonly store: KeyValueStore;
  readonly endpoint: LinkEndpoint;
  readonly quorum: readonly PeerAddress[];
  /** What this node founded its cluster with, if it did. */
  readonly formation: Formation | undefined;
  readonly sessionMs: number;
  readonly electionMs: number;
  onFailure(error: unknown): void;
}

const MiB = 1024 * 1024;

export class ControllerRole {
  readonly quorum: Quorum;
  readonly #watch: ClusterWatch;
  readonly #state: MetadataMachine;
  readonly #follower: JournalFollower;

  private constructor(
    quorum: Quorum,
    watch: ClusterWatch,
    parts: { readonly state: MetadataMachine; readonly follower: JournalFollower },
  ) {
    this.quorum = quorum;
    this.#watch = watch;
    this.#state = parts.state;
    this.#follower = parts.follower;
  }

  /** The cluster as this controller has applied it. */
  get image(): MetadataImage {
    return this.#state.image;
  }

  static async open(options: ControllerRoleOptions): Promise<ControllerRole> {
    const { machine, endpoint, nodeId, storageId, store, electionMs } = options;
    const { clock, random, logger } = machine;
    const quorumStore = await openFounded(options, store);
    const state = new MetadataMachine(logger);
    const self = voterId(nodeId, storageId);
    const quorum = new Quorum({
      self,
      store: quorumStore,
      transport: createLinkTransport({ endpoint, clock, self }),
      machine: state,
      clock,
      random,
      logger,
      timing: {
        electionMs,
        heartbeatMs: Math.max(10, Math.floor(electionMs / 10)),
        appendBytesMax: MiB,
        inFlightBytesMax: 4 * MiB,
        chunkBytes: MiB,
        snapshotBytesMax: 256 * MiB,
        trailingBytes: 4 * MiB,
      },
      snapshotEveryBytes: 16 * MiB,
      ...(machine.rules === undefined ? {} : { rules: machine.rules.quorum }),
      onFatal: (error) => options.onFailure(error),
    });
    const role = ControllerRole.#join(options, quorum, state);
    quorum.start();
    role.#watch.start();
    role.#follower.start();
    return role;
  }

  /** Hands the lead of the quorum over first, so that nobody waits for an election. */
  async stop(): Promise<void> {
    await this.#handOver().catch(() => undefined);
    this.close();
  }

  /** Ends its part; another voter takes over after its election. */
  close(): void {
    this.#watch.close();
    this.#follower.close();
    this.quorum.stop();
  }

  /** To the voter that has most of the log; the quorum bounds how long this takes. */
  async #handOver(): Promise<void> {
    const { role, leader, voters, progress } = this.quorum.status;
    if (role !== 'leader') return;
    const others = voters.filter(({ nodeId }) => nodeId !== leader);
    const [best] = others.sort((a, b) => (progress.get(b.id) ?? 0) - (progress.get(a.id) ?? 0));
    if (best !== undefined) await this.quorum.transferTo(best.nodeId);
  }

  static #join(
    options: ControllerRoleOptions,
    quorum: Quorum,
    state: MetadataMachine,
  ): ControllerRole {
    const { machine, endpoint, nodeId, clusterId, storageId, sessionMs, electionMs } = options;
    const { clock, logger, random } = machine;
    const journal = new EventJournal({ clock, logger });
    const queue = new DecisionQueue({
      get image() {
        return state.image;
      },
      get isActive() {
        return quorum.isActive;
      },
      propose: (data) => quorum.propose(data),
      onCommitted: (events, at) => journal.add(events, at),
    });
    const watch = new ClusterWatch({
      machine: state,
      queue,
      isActive: () => quorum.isActive,
      clock,
      logger,
      sessionMs,
      roundRules: machine.rules?.round,
      probe: ({ nodeId, peerHost: host, peerPort: port, incarnationId }) =>
        probeBroker(endpoint, { nodeId, host, port }, incarnationId),
    });
    const admin = adminDecisions({ rounds: watch.upkeep.rounds, random, featureMax: 1 });
    const voters = new VoterChanges({
      self: { nodeId, storageId },
      quorum,
      queue,
      image: () => state.image,
      endpoint,
      clock,
      logger,
    });
    const service = controlService({
      identity: { clusterId, storageId },
      quorum,
      machine: state,
      queue,
      watch,
      clock,
      sessionMs,
      electionMs,
      admin,
      journal,
      voters,
    });
    tellOwnElection({ nodeId, quorum, journal, clock });
    const notice = new ActiveNotice(quorum);
    acceptRequests(endpoint, 'control', (caller) => notice.serve(service, caller), {
      clock,
      logger,
    });
    endpoint.watch({
      onUp: () => undefined,
      onDown: (peer, reason) => watch.linkDown(peer.nodeId, reason === 'silent'),
    });
    new MetadataFeed(state, logger).serve(endpoint);
    const follower = new JournalFollower({ nodeId, quorum, journal, endpoint, clock, logger });
    return new ControllerRole(quorum, watch, { state, follower });
  }
}

/** An empty store of a founding voter gets the cluster's first entries. */
async function openFounded(
  options: ControllerRoleOptions,
  store: KeyValueStore,
): ReturnType<typeof openQuorumStore> {
  const opened = await openQuorumStore(store);
  const { formation, quorum } = options;
  // An offer that came to nothing says nothing about the cluster that was joined instead.
  if (!opened.recovery.isEmpty || formation?.clusterId !== options.clusterId) return opened;
  const voters: Voter[] = formation.voters.map(({ nodeId, storageId }) => {
    const address = quorum.find((voter) => voter.nodeId === nodeId);
    return {
      id: voterId(nodeId, storageId),
      nodeId,
      storageId,
      host: address?.host ?? '',
      port: address?.port ?? 0,
    };
  });
  await found(opened, formation.clusterId, voters);
  return openQuorumStore(store);
}
