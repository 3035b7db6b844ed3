/**
 * What the controllers commit about partitions. S22: at one revision every node has the same. S9: epochs
 * and revisions only rise. S10: the sets fit each other: who is in sync is a replica, the leader is in
 * sync, nobody is both in sync and merely eligible, and a suspect is neither.
 */
import type { RaftState } from '../../../controller/raft/core/state.ts';
import type { MetadataImage } from '../../../proto/metadata/image.ts';
import type { PartitionState } from '../../../proto/metadata/records.ts';
import type { NodeId, TopicId } from '../../../proto/model/ids.ts';
import { type Checker, Violation, type World } from '../world.ts';

/** A node, as far as it holds metadata. */
export interface WatchedNode {
  readonly id: NodeId;
  /** Processes so far. */
  readonly starts: number;
  readonly running:
    | { readonly broker: Holder | undefined; readonly controller: WatchedController | undefined }
    | undefined;
}

interface Holder {
  readonly image: MetadataImage;
}

interface WatchedController extends Holder {
  readonly quorum: { readonly state: Pick<RaftState, 'role' | 'hard'> };
}

interface LastImage {
  image: MetadataImage | undefined;
  start: number;
}

export class Metadata implements Checker {
  readonly name = 'metadata';
  readonly #world: World;
  readonly #cluster: { readonly nodes: readonly WatchedNode[] };
  readonly #last: Record<'controller' | 'broker', Map<WatchedNode, LastImage>> = {
    controller: new Map(),
    broker: new Map(),
  };
  /** What the partitions were at a revision, as whoever applied it first told. */
  readonly #atRevision = new Map<number, string>();
  readonly #highest = new Map<string, PartitionState>();
  readonly #terms = new Map<number, number>();

  /** `topicId/partition@node` of replicas that were moved elsewhere since their node was last asked about. */
  readonly #moved = new Set<string>();
  /** The same: the last revision at which it is known to be elsewhere. */
  readonly #elsewhere = new Map<string, number>();
  /** The revision at which a topic was first seen. */
  readonly #topics = new Map<TopicId, number>();
  readonly #deleted = new Set<string>();

  constructor(world: World, cluster: { readonly nodes: readonly WatchedNode[] }) {
    this.#world = world;
    this.#cluster = cluster;
  }

  /** The newest that was committed of a partition, by `topicId/partition`. */
  partition(place: string): PartitionState | undefined {
    return this.#highest.get(place);
  }

  /** Whether the replica was moved elsewhere since this was last asked: then its log is gone. */
  takeMoved(place: string, node: number): boolean {
    return this.#moved.delete(`${place}@${node}`);
  }

  /** Whether a committed record took the replica from the node, or its topic away, at `since` or later. */
  wasTaken(place: string, node: number, since: number): boolean {
    const [topicId = ''] = place.split('/');
    return this.#deleted.has(topicId) || (this.#elsewhere.get(`${place}@${node}`) ?? -1) >= since;
  }

  check(): void {
    for (const node of this.#cluster.nodes) {
      const { running } = node;
      if (running === undefined) continue;
      this.#look('broker', node, running.broker?.image);
      this.#look('controller', node, running.controller?.image);
      const state = running.controller?.quorum.state;
      if (state?.role.kind === 'leader') this.#checkTerm(node.id, state.hard.term);
    }
  }

  #look(role: 'controller' | 'broker', node: WatchedNode, image: MetadataImage | undefined): void {
    let last = this.#last[role].get(node);
    if (last === undefined)
      this.#last[role].set(node, (last = { image: undefined, start: node.starts }));
    if (last.image === image || image === undefined) return;
    const before = last.start === node.starts ? last.image : undefined;
    last.image = image;
    last.start = node.starts;
    if (before !== undefined && image.revision < before.revision)
      throw new Violation(
        this.name,
        `node ${node.id}: back from revision ${before.revision} to ${image.revision}`,
      );
    if (before?.topics !== image.topics) this.#comparePartitions(node, image);
  }

  #comparePartitions(node: WatchedNode, image: MetadataImage): void {
    const partitions: PartitionState[] = [];
    const texts: string[] = [];
    this.#noteDeleted(image);
    image.topics.forEach((topic) => {
      if (!this.#topics.has(topic.topicId)) this.#topics.set(topic.topicId, image.revision);
      topic.partitions.forEach((partition) => {
        partitions.push(partition);
        texts.push(`${topic.topicId}/${partition.partition} ${JSON.stringify(partition)}`);
        this.#checkPartition(`${topic.topicId}/${partition.partition}`, partition, image.revision);
      });
    });
    const text = texts.sort().join('\n');
    const known = this.#atRevision.get(image.revision);
    if (known === undefined) this.#atRevision.set(image.revision, text);
    else if (known !== text)
      throw new Violation(this.name, `node ${node.id} has another image at ${image.revision}`);
  }

  #noteDeleted({ topics, revision }: MetadataImage): void {
    for (const [topicId, seen] of this.#topics) {
      if (revision <= seen || topics.has(topicId)) continue;
      this.#topics.delete(topicId);
      this.#deleted.add(topicId);
    }
  }

  #checkPartition(place: string, state: PartitionState, revision: number): void {
    const highest = this.#highest.get(place);
    if (highest !== undefined && highest.partitionEpoch >= state.partitionEpoch) return;
    this.#highest.set(place, state);
    for (const { id } of this.#cluster.nodes)
      if (!state.replicas.includes(id)) {
        this.#moved.add(`${place}@${id}`);
        this.#elsewhere.set(`${place}@${id}`, revision);
      }
    const { isr, elr, replicas, leader, suspects, leaderEpoch } = state;
    const fail = (what: string): never => {
      throw new Violation('in-sync-sets', `${place} at ${revision}: ${what}`);
    };
    if (highest !== undefined && leaderEpoch < highest.leaderEpoch) fail('the epoch goes back');
    if (isr.some((one) => !replicas.includes(one))) fail('in sync without a replica');
    if (isr.some((one) => elr.includes(one))) fail('in sync and eligible');
    if (leader !== undefined && !isr.includes(leader)) fail('the leader is not in sync');
    if (suspects.some((one) => isr.includes(one) || elr.includes(one)))
      fail('a suspect is trusted');
    if (elr.length > 0) this.#world.reach('eligible outside the in-sync set');
    if (suspects.length > 0) this.#world.reach('suspect replica');
    const isEligibleElected =
      leader !== undefined && highest?.leader === undefined && highest?.elr.includes(leader);
    if (isEligibleElected === true) this.#world.reach('eligible replica elected');
    if (highest !== undefined && highest.semiSyncMembers.length > state.semiSyncMembers.length)
      this.#world.reach('semi-sync members settled');
    if (state.semiSyncMembers.some((one) => !isr.includes(one)))
      this.#world.reach('semi-sync member outside the in-sync set');
    if (highest !== undefined && highest.isr.length < isr.length) this.#world.reach('isr grows');
    if (highest !== undefined && highest.isr.length > isr.length) this.#world.reach('isr shrinks');
  }

  /** S19: one leader a term. */
  #checkTerm(node: number, term: number): void {
    const known = this.#terms.get(term);
    if (known === undefined) this.#terms.set(term, node);
    else if (known !== node)
      throw new Violation(
        'election-safety',
        `nodes ${known} and ${node} lead the quorum in ${term}`,
      );
  }
}
