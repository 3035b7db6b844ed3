/**
 * All replication streams of a node: a feed for each follower node, an intake for each leader node.
 * A stream that broke is opened again after a short, growing pause, as long as a replica follows there.
 */
import type { NodeId } from '../../proto/model/ids.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { LinkEndpoint, PeerAddress } from '../../proto/ports/link.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import type { AnswerOpen, OpenStream, Report } from './core/effects.ts';
import { FollowerFeed } from './follower-feed.ts';
import { LeaderIntake } from './leader-intake.ts';
import { MovePace, type MoveRules } from './move-pace.ts';
import type { Replica, ReplicaLookup } from './replica.ts';

export interface ReplicationStreamsOptions {
  readonly endpoint: LinkEndpoint;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lookup: ReplicaLookup;
  /** Where a broker is, as the image says; undefined while it does not. */
  readonly addressOf: (node: NodeId) => PeerAddress | undefined;
  readonly moves: MoveRules;
}

const pauseMsMin = 20;
const pauseMsMax = 1_000;

interface LeaderContact {
  intake: LeaderIntake | undefined;
  /** Replicas that follow there and wait for a stream. */
  readonly waiting: Set<Replica>;
  pauseMs: number;
  isPaused: boolean;
}

export class ReplicationStreams {
  readonly #options: ReplicationStreamsOptions;
  readonly #feeds = new Map<NodeId, Set<FollowerFeed>>();
  readonly #contacts = new Map<NodeId, LeaderContact>();
  #isClosed = false;

  constructor(options: ReplicationStreamsOptions) {
    this.#options = options;
    const { moves } = options;
    const pace = new MovePace(options.clock, moves.bytesPerSecond);
    options.endpoint.accept('replication', (stream, peer) => {
      const { lookup, clock, logger } = options;
      const feed = new FollowerFeed({
        follower: peer.nodeId,
        stream,
        lookup,
        pace,
        isAdded: ({ topicId, partition }) => moves.isAdded(topicId, partition, peer.nodeId),
        clock,
        logger,
        onClosed: (closed) => this.#feeds.get(peer.nodeId)?.delete(closed),
      });
      this.#feeds.set(peer.nodeId, (this.#feeds.get(peer.nodeId) ?? new Set()).add(feed));
      return feed.handlers;
    });
  }

  answerOpen(replica: Replica, answer: AnswerOpen): void {
    for (const feed of this.#feeds.get(answer.follower) ?? []) feed.answerOpen(replica, answer);
  }

  stopFollower(replica: Replica, follower: NodeId, stream: number): void {
    for (const feed of this.#feeds.get(follower) ?? []) feed.stop(replica, stream);
  }

  /** A leader's log or watermark moved: its followers are told this turn. */
  touched(replica: Replica, followers: Iterable<NodeId>): void {
    for (const follower of followers)
      for (const feed of this.#feeds.get(follower) ?? []) feed.touched(replica);
  }

  /** The replica follows there and has no stream: it is told `leader-reachable` after a short pause. */
  want(replica: Replica, leader: NodeId): void {
    if (this.#isClosed) return;
    const contact = this.#contactOf(leader);
    contact.waiting.add(replica);
    this.#pause(leader, contact);
  }

  /** Opens a stream, dialling first if there is no link. What cannot be dialled is tried again later. */
  open(replica: Replica, effect: OpenStream): void {
    const contact = this.#contactOf(effect.leader);
    if (contact.intake === undefined && !contact.isPaused)
      contact.intake = this.#dial(effect.leader, contact);
    if (contact.intake !== undefined) contact.intake.open(replica, effect);
    else
      this.#options.clock.soon(() =>
        replica.step({ kind: 'stream-closed', stream: effect.stream }),
      );
  }

  report(replica: Replica, effect: Report): void {
    this.#contacts.get(effect.leader)?.intake?.report(replica, effect);
  }

  /** The replica no longer follows that node. */
  forget(replica: Replica, leader: NodeId): void {
    const contact = this.#contacts.get(leader);
    contact?.waiting.delete(replica);
    contact?.intake?.forget(replica);
  }

  close(): void {
    this.#isClosed = true;
    for (const feeds of this.#feeds.values()) for (const feed of [...feeds]) feed.close();
    for (const contact of this.#contacts.values()) contact.intake?.close();
  }

  #contactOf(leader: NodeId): LeaderContact {
    let contact = this.#contacts.get(leader);
    if (contact === undefined) {
      contact = { intake: undefined, waiting: new Set(), pauseMs: pauseMsMin, isPaused: false };
      this.#contacts.set(leader, contact);
    }
    return contact;
  }

  /** Lets every waiting replica open its stream, on a link that exists or is dialled by this. */
  #release(leader: NodeId, contact: LeaderContact): void {
    if (this.#isClosed || contact.waiting.size === 0 || contact.isPaused) return;
    contact.intake ??= this.#dial(leader, contact);
    if (contact.intake === undefined) return this.#pause(leader, contact);
    const waiting = [...contact.waiting];
    contact.waiting.clear();
    for (const replica of waiting) replica.step({ kind: 'leader-reachable', node: leader });
  }

  #dial(leader: NodeId, contact: LeaderContact): LeaderIntake | undefined {
    const address = this.#options.addressOf(leader);
    if (address === undefined) return undefined;
    const { clock, logger, endpoint } = this.#options;
    return new LeaderIntake({
      leader,
      clock,
      logger,
      openLink: (handlers) =>
        endpoint.open(address, 'replication', {
          ...handlers,
          onOpen: () => {
            contact.pauseMs = pauseMsMin;
          },
        }),
      // Refusals of a leader that had not heard yet must not add up over the life of a link.
      onTaken: () => {
        contact.pauseMs = pauseMsMin;
      },
      onClosed: () => {
        contact.intake = undefined;
        this.#pause(leader, contact);
      },
    });
  }

  #pause(leader: NodeId, contact: LeaderContact): void {
    if (contact.isPaused || this.#isClosed) return;
    contact.isPaused = true;
    this.#options.clock.after(contact.pauseMs, () => {
      contact.isPaused = false;
      this.#release(leader, contact);
    });
    contact.pauseMs = Math.min(contact.pauseMs * 2, pauseMsMax);
  }
}
