/**
 * Runs the membership core: a timer in, registrations and heartbeats out. What the rest of the broker
 * wants to know (its epoch, the lease, who is active) is told through one listener.
 */
import type {
  HeartbeatResponse,
  RegisterBrokerRequest,
} from '../../proto/generated/highwater/peer/v1/control.ts';
import { controlMethods } from '../../proto/link/control-methods.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { BrokerEpoch, Revision, Term } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import { DueTimer } from '../../proto/ports/due-timer.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import type { ControllerLinks } from './controller-links.ts';
import {
  dueAt,
  initialMembership,
  type MembershipEffect,
  type MembershipInput,
  type MembershipState,
  stepMembership,
} from './core/membership.ts';

export interface MembershipListener {
  /** Makes a granted epoch durable, before this broker speaks under it. */
  onGranted(brokerEpoch: BrokerEpoch): Promise<void>;
  onRegistered(brokerEpoch: BrokerEpoch, revision: Revision): void;
  onLease(isHeld: boolean): void;
  onFenced(isFenced: boolean): void;
  onActiveController(nodeId: NodeId | undefined): void;
  /** The active controller has committed this much. */
  onCommitted(revision: Revision): void;
  /** The stamp to store before the next heartbeat. */
  onStorageStamp(stamp: number): void;
  /** A later incarnation of this node is registered: this process must end. */
  onSuperseded(): void;
}

export interface MembershipOptions {
  readonly links: ControllerLinks;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  readonly nodeId: NodeId;
  /** What this broker says of itself; asked when it registers. */
  readonly registration: () => RegisterBrokerRequest;
  /** Facts that each heartbeat tells. */
  readonly appliedRevision: () => Revision;
  readonly storageStamp: () => number;
  readonly listener: MembershipListener;
}

/** Between two ticks at least: controllers that answer at once, and know nothing, are not asked all the time. */
const tickMsMin = 50;

export class MembershipDriver {
  readonly #options: MembershipOptions;
  readonly #state: MembershipState;
  readonly #timer: DueTimer;
  #tickedMs = Number.NEGATIVE_INFINITY;
  #onMayStop: (() => void) | undefined;
  #isClosed = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
    const { links, sessionMs, heartbeatMs } = options;
    this.#state = initialMembership({ controllers: links.nodeIds, sessionMs, heartbeatMs });
    this.#timer = new DueTimer(options.clock, () => this.#tick());
  }

  get activeController(): NodeId | undefined {
    return this.#state.active;
  }

  get brokerEpoch(): BrokerEpoch | undefined {
    return this.#state.brokerEpoch;
  }

  /** The quorum's term as the active controller told it last. */
  get term(): Term {
    return this.#state.term;
  }

  get isLeaseHeld(): boolean {
    return this.#state.isLeaseHeld;
  }

  /** When the lease ends by this node's clock, unless it is renewed. */
  get leaseUntilMs(): number {
    return this.#state.leaseUntilMs;
  }

  get isFenced(): boolean {
    return this.#state.isFenced;
  }

  start(): void {
    this.#options.links.reach();
    this.#tick();
  }

  /** The voters of the quorum are others. */
  controllersChanged(): void {
    this.#step({ kind: 'controllers', nodeIds: this.#options.links.nodeIds });
  }

  /** A controller says that it has become the active one. */
  becameActive(controller: NodeId, term: Term): void {
    this.#step({ kind: 'became-active', controller, term });
    this.hurry();
  }

  linkDown(controller: NodeId): void {
    this.#step({ kind: 'link-down', controller });
  }

  /** Notices that the lease has ended, however late the next tick is. Asked for each input of a replica. */
  judgeLease(): void {
    if (!this.#state.isLeaseHeld) return;
    const nowMs = this.#options.clock.now();
    if (nowMs >= this.#state.leaseUntilMs) this.#step({ kind: 'tick', nowMs });
  }

  /** Heartbeats at once: a controller asked, or something it waits for is done. */
  hurry(): void {
    this.#state.nextHeartbeatMs = 0;
    this.#step({ kind: 'tick', nowMs: this.#options.clock.now() });
  }

  /** Asks for the leaderships to be moved and resolves when they are, or after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#onMayStop = resolve;
    });
    const timer = this.#options.clock.after(graceMs, () => this.#step({ kind: 'stop-deadline' }));
    this.#step({ kind: 'stop' });
    await done;
    timer.cancel();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer.cancel();
    this.#onMayStop?.();
  }

  #tick(): void {
    const nowMs = this.#options.clock.now();
    this.#tickedMs = nowMs;
    this.#step({ kind: 'tick', nowMs });
  }

  #step(input: MembershipInput): void {
    if (this.#isClosed) return;
    for (const effect of stepMembership(this.#state, input)) this.#run(effect);
    this.#arm();
  }

  #arm(): void {
    if (!this.#isClosed) this.#timer.arm(Math.max(dueAt(this.#state), this.#tickedMs + tickMsMin));
  }

  #run(effect: MembershipEffect): void {
    const { listener } = this.#options;
    switch (effect.kind) {
      case 'register':
        this.#register(effect.at);
        return;
      case 'heartbeat':
        for (const controller of this.#options.links.nodeIds)
          this.#heartbeat(controller, effect.wantsShutdown);
        return;
      case 'lease':
        return listener.onLease(effect.isHeld);
      case 'fenced':
        return listener.onFenced(effect.isFenced);
      case 'registered':
        return listener.onRegistered(effect.brokerEpoch, effect.revision);
      case 'active-controller':
        return listener.onActiveController(effect.nodeId);
      case 'may-stop':
        return this.#onMayStop?.();
      case 'superseded':
        return listener.onSuperseded();
    }
  }

  #register(at: NodeId): void {
    const { links, registration, sessionMs, logger, listener } = this.#options;
    const register = async (): Promise<void> => {
      const { brokerEpoch, revision } = await links.call(
        at,
        controlMethods.register,
        registration(),
        sessionMs,
      );
      await listener.onGranted(brokerEpoch);
      this.#step({ kind: 'registered', from: at, brokerEpoch, revision });
    };
    register().catch((caught: unknown) => {
      const { code, message } = HighwaterError.from(caught);
      logger.debug('registration-failed', 'A controller did not register this broker.', {
        controller: at,
        code,
        message,
      });
      this.#step({
        kind: 'registration-failed',
        from: at,
        superseded: code === 'STALE_BROKER_EPOCH',
      });
    });
  }

  #heartbeat(at: NodeId, wantsShutdown: boolean): void {
    const { links, clock, nodeId, sessionMs } = this.#options;
    const { brokerEpoch } = this.#state;
    if (brokerEpoch === undefined) return;
    const sentMs = clock.now();
    const message = {
      nodeId,
      brokerEpoch,
      revision: this.#options.appliedRevision(),
      wantsShutdown,
      storageStamp: this.#options.storageStamp(),
      diskFailing: false,
    };
    links.call(at, controlMethods.heartbeat, message, sessionMs).then(
      (response) => this.#answered(at, sentMs, response),
      (caught: unknown) => {
        if (HighwaterError.from(caught).code === 'STALE_BROKER_EPOCH')
          this.#step({ kind: 'superseded' });
      },
    );
  }

  #answered(from: NodeId, sentMs: number, response: HeartbeatResponse): void {
    const { isActive, term, renewsLease, fenced, mayShutDown } = response;
    if (isActive) this.#options.listener.onCommitted(response.revision);
    if (isActive && response.nextStorageStamp > 0)
      this.#options.listener.onStorageStamp(response.nextStorageStamp);
    const nowMs = this.#options.clock.now();
    this.#step({
      kind: 'heartbeat-answered',
      from,
      sentMs,
      nowMs,
      answer: { isActive, term, renewsLease, fenced, mayShutDown },
    });
  }
}
