/**
 * Random walks of one leader, one seed each: its followers store, stop, lose their streams and come back,
 * and its process is paused. A model of its own knows since when each follower has been behind, in time
 * in which the leader could serve; who is thrown out, and who is kept, is compared with it (rule B3.6).
 */
import type { Effect } from '../../../broker/replication/core/effects.ts';
import type { Input } from '../../../broker/replication/core/inputs.ts';
import { createPartition, step } from '../../../broker/replication/core/partition.ts';
import { everyRule, type Rules } from '../../../broker/replication/core/rules.ts';
import type { PartitionState } from '../../../broker/replication/core/state.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, offset, partitionEpoch } from '../../../proto/model/offset.ts';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { Violation } from './violation.ts';

const lagTimeMaxMs = 5_000;
const tickMs = 200;

/** One follower as the model has it. */
interface Follower {
  readonly node: number;
  stream: number;
  isOpen: boolean;
  stored: number;
  /** Time of service at which it was last known to have everything, by an open stream. */
  caughtUpMs: number;
  /** Time of service at which its stream was last open. */
  openMs: number;
}

/** Walks from one seed. Throws a `Violation` when a member is removed or kept that should not be. */
export function walkLag(
  seed: number,
  options: { steps: number; broken?: keyof Rules | undefined },
) {
  const rules = {
    ...everyRule,
    ...(options.broken === undefined ? {} : { [options.broken]: false }),
  };
  const random = new SeededRandom(seed);
  const walk = new LagWalk(rules);
  for (let taken = 0; taken < options.steps; taken++) walk.act(random);
}

class LagWalk {
  readonly #core: PartitionState;
  readonly #followers: Follower[] = [2, 3].map((node) => ({
    node,
    stream: 0,
    isOpen: false,
    stored: 0,
    caughtUpMs: 0,
    openMs: 0,
  }));
  #isr = [1, 2, 3];
  #epoch = 1;
  #nowMs = 0;
  #servedMs = 0;
  #tokens = 0;

  constructor(rules: Rules) {
    this.#core = createPartition({
      self: nodeId(1),
      brokerEpoch: brokerEpoch(1),
      logStart: offset(0),
      logEnd: offset(0),
      history: [],
      watermark: offset(0),
      verifiedEpoch: leaderEpoch(1),
      isSuspect: false,
      forfeitedEpoch: undefined,
      isLeaseHeld: true,
      rules,
    });
    this.#publish();
  }

  act(random: SeededRandom): void {
    const follower = this.#followers[random.below(2)];
    const drawn = random.below(20);
    if (drawn === 0) this.#tick(60_000, random.below(100));
    else if (drawn < 10) this.#tick(tickMs, tickMs);
    else if (drawn < 12) this.#append();
    else if (follower === undefined) return;
    else if (drawn < 17) this.#store(follower);
    else if (drawn < 19) this.#open(follower);
    else this.#close(follower);
  }

  /** The process ran for part of the time only. */
  #tick(passedMs: number, ableToServeMs: number): void {
    this.#nowMs += passedMs;
    this.#servedMs += ableToServeMs;
    for (const one of this.#followers) {
      if (one.isOpen) one.openMs = this.#servedMs;
      if (one.isOpen && one.stored === this.#core.log.end) one.caughtUpMs = this.#servedMs;
    }
    this.#feed({ kind: 'tick', nowMs: this.#nowMs, ableToServeMs });
    for (const one of this.#followers) this.#checkKept(one);
  }

  #append(): void {
    const token = this.#tokens++;
    const times = { deadlineMs: Infinity, nowMs: this.#nowMs };
    const verdict = { kind: 'fresh' } as const;
    const plain = { expectedOffset: undefined, isDiskFull: false, acks: 'leader' } as const;
    this.#feed({ kind: 'produce', token, count: 1, ...times, verdict, ...plain });
    this.#feed({ kind: 'stored', end: this.#core.log.end, cuts: 0 });
  }

  #store(follower: Follower): void {
    if (!follower.isOpen) return;
    follower.stored = this.#core.log.end;
    this.#report(follower);
  }

  #report({ node, stream, stored }: Follower): void {
    const end = offset(stored);
    this.#feed({
      kind: 'follower-reported',
      ...this.#stamps(node, stream),
      logEnd: end,
      storedEnd: end,
    });
  }

  #open(follower: Follower): void {
    if (follower.isOpen) return;
    follower.isOpen = true;
    follower.stream++;
    const logEnd = offset(follower.stored);
    const lastEpoch = follower.stored === 0 ? undefined : leaderEpoch(1);
    const stamps = this.#stamps(follower.node, follower.stream);
    this.#feed({ kind: 'follower-opened', ...stamps, lastEpoch, logEnd });
    this.#report(follower);
  }

  #close(follower: Follower): void {
    if (!follower.isOpen) return;
    follower.isOpen = false;
    follower.openMs = this.#servedMs;
    this.#feed({
      kind: 'follower-closed',
      follower: nodeId(follower.node),
      brokerEpoch: brokerEpoch(follower.node),
      stream: follower.stream,
    });
  }

  #stamps(node: number, stream: number) {
    const follower = nodeId(node);
    return { follower, brokerEpoch: brokerEpoch(node), stream, leaderEpoch: leaderEpoch(1) };
  }

  #feed(input: Input): void {
    const effects: Effect[] = [];
    step(this.#core, input, effects);
    for (const effect of effects) {
      if (effect.kind === 'persist-verified-epoch') {
        this.#feed({ kind: 'verified-epoch-persisted', epoch: effect.epoch });
      }
      if (effect.kind === 'propose') this.#commit(effect.proposal.isr.map((one) => one.nodeId));
    }
  }

  /** The controller agrees to everything; who is removed must have been behind for long enough. */
  #commit(isr: readonly number[]): void {
    for (const one of this.#followers) {
      const behindMs = this.#servedMs - one.caughtUpMs;
      const isRemoved = this.#isr.includes(one.node) && !isr.includes(one.node);
      if (!isRemoved || behindMs > lagTimeMaxMs) continue;
      throw new Violation(`B3.6 ${one.node} is removed after ${behindMs} ms of service behind`);
    }
    this.#isr = [...isr];
    this.#publish();
  }

  /** A member without a stream goes, some ticks after its time. */
  #checkKept({ node, isOpen, openMs }: Follower): void {
    const behindMs = this.#servedMs - openMs;
    if (isOpen || !this.#isr.includes(node) || behindMs <= lagTimeMaxMs + 5 * tickMs) return;
    throw new Violation(`B3.6 ${node} has had no stream for ${behindMs} ms, and is kept`);
  }

  #publish(): void {
    this.#epoch++;
    const metadata = {
      leader: nodeId(1),
      leaderEpoch: leaderEpoch(1),
      partitionEpoch: partitionEpoch(this.#epoch),
      replicas: [1, 2, 3].map((node) => ({
        nodeId: nodeId(node),
        brokerEpoch: brokerEpoch(node),
        isEligible: true,
      })),
      isr: this.#isr.map(nodeId),
      semiSyncMembers: [],
      semiSyncReplicas: 0,
      uncleanEpoch: undefined,
      settings: {
        minInsyncReplicas: 1,
        semiSyncReplicas: 0,
        semiSyncTimeoutMs: 10_000,
        semiSyncOnTimeout: 'fail' as const,
        lagTimeMaxMs,
      },
    };
    this.#feed({ kind: 'metadata', metadata });
  }
}
