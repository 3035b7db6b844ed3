import type { MetadataImage } from '../../../proto/metadata/image.ts';
import { minimumOf } from '../../../proto/metadata/partition-fault.ts';
import type { PartitionState } from '../../../proto/metadata/records.ts';
import { Violation } from '../../scenario/replication/violation.ts';

/** Invariants S9 and S10 over a history of images, written without the product's own checks. */
export class InvariantChecker {
  /** Who led each epoch of each partition. */
  readonly #leaders = new Map<string, number>();
  #before: MetadataImage | undefined;

  check(image: MetadataImage): void {
    for (const topic of image.topics.values()) {
      for (const state of topic.partitions.values()) {
        const name = `${topic.name}/${state.partition}`;
        this.#checkSets(name, image, topic, state);
        this.#checkEpochs(name, topic.topicId, state);
      }
    }
    this.#checkIndex(image);
    this.#before = image;
  }

  #checkSets(
    name: string,
    image: MetadataImage,
    topic: Parameters<typeof minimumOf>[0],
    state: PartitionState,
  ): void {
    const { replicas, isr, elr, lastKnownElr, suspects, leader } = state;
    const within = [
      isr,
      elr,
      lastKnownElr,
      suspects,
      state.semiSyncMembers,
      state.adding,
      state.removing,
    ];
    for (const set of within) {
      must(
        set.every((node) => replicas.includes(node)),
        `${name}: ${set.join()} within ${replicas.join()}`,
      );
      must(new Set(set).size === set.length, `${name}: ${set.join()} without doubles`);
    }
    must(!isr.some((node) => elr.includes(node)), `${name}: isr and elr are disjoint`);
    must(![...isr, ...elr].some((node) => suspects.includes(node)), `${name}: no suspect member`);
    must(
      isr.length < minimumOf(topic, state) || elr.length === 0,
      `${name}: elr only below minimum`,
    );
    must(leader === undefined || isr.includes(leader), `${name}: the leader is in sync`);
    for (const node of isr) {
      must(image.brokers.get(node)?.state !== 'fenced', `${name}: ${node} is in sync and fenced`);
    }
    const hasHope = isr.length + elr.length + lastKnownElr.length > 0;
    must(hasHope, `${name}: somebody is waited for`);
    const counts = state.semiSyncMembers.length > 0;
    must(counts === state.semiSyncReplicas > 0, `${name}: k with members`);
  }

  #checkEpochs(name: string, topicId: string, state: PartitionState): void {
    const { leader, leaderEpoch, partitionEpoch } = state;
    if (leader !== undefined) {
      const key = `${topicId}/${state.partition}/${leaderEpoch}`;
      const known = this.#leaders.get(key) ?? leader;
      must(known === leader, `${name}: one leader in epoch ${leaderEpoch}`);
      this.#leaders.set(key, leader);
    }
    const before = this.#before?.topics.get(topicId as never)?.partitions.get(state.partition);
    if (before === undefined || before === state) return;
    must(partitionEpoch > before.partitionEpoch, `${name}: the partition epoch rises`);
    must(leaderEpoch >= before.leaderEpoch, `${name}: the leader epoch never falls`);
    must(
      leader === before.leader || leaderEpoch > before.leaderEpoch || before.leader === undefined,
      `${name}: only a round changes the leader`,
    );
  }

  #checkIndex(image: MetadataImage): void {
    const replicas = new Map<number, number>();
    const leaders = new Map<number, number>();
    let count = 0;
    let leaderless = 0;
    for (const topic of image.topics.values()) {
      for (const state of topic.partitions.values()) {
        count++;
        if (state.leader === undefined) leaderless++;
        else leaders.set(state.leader, (leaders.get(state.leader) ?? 0) + 1);
        for (const node of state.replicas) replicas.set(node, (replicas.get(node) ?? 0) + 1);
      }
    }
    must(image.partitionCount === count, 'partitions are counted');
    must(image.leaderlessCount === leaderless, 'leaderless partitions are counted');
    must(image.hosting.size === replicas.size, 'brokers with replicas are indexed');
    for (const [node, hosting] of image.hosting.entries()) {
      must(hosting.replicas === replicas.get(node), `replicas of ${node} are counted`);
      must(hosting.leaders === (leaders.get(node) ?? 0), `leaderships of ${node} are counted`);
    }
    for (const broker of image.brokers.values()) {
      const before = this.#before?.brokers.get(broker.nodeId);
      must((before?.brokerEpoch ?? 0) <= broker.brokerEpoch, 'a broker epoch never falls');
    }
  }
}

function must(condition: boolean, sentence: string): void {
  if (!condition) throw new Violation(`S9, S10 must hold: ${sentence}`);
}
