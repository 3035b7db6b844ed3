/**
 * Runs what a controller does by itself: sessions of silent brokers end, election rounds are decided,
 * leaderships move off brokers that go and back to the preferred ones.
 *
 * Every controller keeps sessions and round answers, since brokers speak to all of them; only the
 * active one decides. Its own stalls are nobody's silence: time counts only as far as this process was
 * able to listen (rule 6.8).
 */
import { deltaBetween } from '../proto/metadata/delta.ts';
import type { BrokerImage, MetadataImage } from '../proto/metadata/image.ts';
import { HighwaterError } from '../proto/model/errors.ts';
import type { NodeId } from '../proto/model/ids.ts';
import type { BrokerEpoch } from '../proto/model/offset.ts';
import type { Clock, Timer } from '../proto/ports/clock.ts';
import type { Logger } from '../proto/ports/logger.ts';
import type { ProbeResult } from './broker-probe.ts';
import type { RoundRules } from './cluster/core/election-round.ts';
import { decideElections } from './cluster/core/elections.ts';
import { type PromiseAnswer, takeAnswers } from './cluster/core/rounds.ts';
import { heard, linkBroke, listen } from './cluster/core/sessions.ts';
import {
  createUpkeep,
  decideUpkeep,
  defaultUpkeep,
  followImage,
  isUpkeepDue,
  type UpkeepState,
} from './cluster/core/upkeep.ts';
import type { Decision, DecisionQueue } from './decision-queue.ts';
import type { AppliedChange, MetadataMachine, MetadataWatcher } from './metadata-machine.ts';

export interface ClusterWatchOptions {
  readonly machine: MetadataMachine;
  readonly queue: DecisionQueue;
  readonly isActive: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sessionMs: number;
  readonly roundRules: RoundRules | undefined;
  /** Dials a broker whose connection broke. */
  readonly probe: (broker: BrokerImage) => Promise<ProbeResult>;
}

/** How late the end of a session is noticed at most; a broken connection is noticed at once. */
const tickMs = 50;

export class ClusterWatch implements MetadataWatcher {
  readonly upkeep: UpkeepState;
  readonly #options: ClusterWatchOptions;
  #image: MetadataImage;
  #listenedAtMs: number;
  /** One run of decisions at a time. */
  #isDeciding = false;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: ClusterWatchOptions) {
    this.#options = options;
    this.#image = options.machine.image;
    this.#listenedAtMs = options.clock.now();
    const { sessionMs, roundRules } = options;
    this.upkeep = createUpkeep({
      ...defaultUpkeep,
      sessionMs,
      ...(roundRules === undefined ? {} : { roundRules }),
    });
    options.machine.watch(this);
  }

  start(): void {
    this.#arm();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  heard(nodeId: NodeId, brokerEpoch: BrokerEpoch): void {
    // A word counts from when it came, not from the last tick: its session would end too early.
    this.#listen();
    heard(this.upkeep.sessions, nodeId, brokerEpoch);
  }

  /**
   * The connection to a node is gone: if it is a broker, it is dialled at once. Where this side closed it
   * because nothing was heard, that is no more than silence, and the session decides about silence.
   */
  linkDown(nodeId: NodeId, isSilent = false): void {
    const broker = this.#image.brokers.get(nodeId);
    if (broker === undefined || broker.state === 'fenced' || this.#isClosed) return;
    this.#listen();
    if (!isSilent) linkBroke(this.upkeep.sessions, nodeId, false);
    void this.#options.probe(broker).then((result) => this.#probed(broker, result));
  }

  #probed({ nodeId, brokerEpoch }: BrokerImage, result: ProbeResult): void {
    if (this.#image.brokers.get(nodeId)?.brokerEpoch !== brokerEpoch) return;
    if (result === 'there') this.heard(nodeId, brokerEpoch);
    else if (result === 'gone') linkBroke(this.upkeep.sessions, nodeId, true);
    if (result === 'gone' && this.#options.isActive()) this.#look();
  }

  /** Takes a broker's answers; what they decide is committed at once. */
  answered(
    from: { readonly nodeId: NodeId; readonly brokerEpoch: BrokerEpoch },
    answers: readonly PromiseAnswer[],
  ): void {
    const { rounds } = this.upkeep;
    const touched = takeAnswers(rounds, this.#image, from, answers);
    if (touched.length === 0 || !this.#options.isActive()) return;
    const nowMs = this.#options.clock.now();
    void this.#decide((image) => decideElections(rounds, image, touched, nowMs));
  }

  onChange({ image }: AppliedChange): void {
    this.#follow(image);
  }

  onRestored(image: MetadataImage): void {
    this.#follow(image);
  }

  #follow(image: MetadataImage): void {
    followImage(this.upkeep, deltaBetween(this.#image, image), this.#options.clock.now());
    this.#image = image;
    if (this.#options.isActive()) this.#look();
  }

  #arm(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.after(tickMs, () => this.#tick());
  }

  #tick(): void {
    this.#listen();
    if (this.#options.isActive()) this.#look();
    this.#arm();
  }

  /** The time since the last look counts as far as this process was able to listen. */
  #listen(): void {
    const nowMs = this.#options.clock.now();
    listen(this.upkeep.sessions, Math.min(nowMs - this.#listenedAtMs, 2 * tickMs));
    this.#listenedAtMs = nowMs;
  }

  /** Decides what is due until nothing is left to do. */
  #look(): void {
    const { clock } = this.#options;
    if (this.#isDeciding || !isUpkeepDue(this.upkeep, this.#image, clock.now())) return;
    this.#isDeciding = true;
    const run = async (): Promise<void> => {
      let isDue = true;
      while (isDue && !this.#isClosed) {
        isDue = await this.#decide((image) => decideUpkeep(this.upkeep, image, clock.now()));
      }
      this.#isDeciding = false;
    };
    void run();
  }

  /** True if something was committed. */
  async #decide(decision: Decision<unknown>): Promise<boolean> {
    try {
      const { isChange } = await this.#options.queue.decide(decision);
      return isChange;
    } catch (caught) {
      const { code, message } = HighwaterError.from(caught);
      this.#options.logger.warn(
        'decision-lost',
        'A decision of the controller was not committed; it is made again.',
        { code, message },
      );
      return false;
    }
  }
}
