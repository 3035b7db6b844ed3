/**
 * The loop around the quorum core: one queue of inputs; the driver drains it, steps them all, then
 * makes durable, sends, applies, in this order. One flush serves everything that waited for it.
 *
 * Invariants: (1) no message that rests on this member's disk leaves before the flush (rule B4.3);
 * (2) the state machine sees committed entries only, in order, once (rule B4.18); (3) an effect that
 * fails ends the driver: nothing is sent or applied after it, and a flush is never repeated (B5.2).
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { LogIndex } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import { DueTimer } from '../../proto/ports/due-timer.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import type { Random } from '../../proto/ports/random.ts';
import type { ApplyEffect, SendEffect } from './core/effects.ts';
import type { Input, InputBody, VoterChange } from './core/inputs.ts';
import { createMember, step, wakeAt } from './core/quorum-member.ts';
import type { Rules } from './core/rules.ts';
import type { RaftState, RaftTiming } from './core/state.ts';
import type { Voter, VoterId } from './core/voter.ts';
import { inOrder } from './effect-order.ts';
import { PendingRequests } from './pending-requests.ts';
import { type QuorumStateMachine, StateMachineDriver } from './state-machine.ts';
import { changeOf, isActive, type QuorumStatus, reachableVoters, statusOf } from './status.ts';
import type { QuorumStore } from './store.ts';
import type { QuorumTransport } from './transport.ts';

export interface QuorumOptions {
  readonly self: VoterId;
  readonly store: QuorumStore;
  readonly transport: QuorumTransport;
  readonly machine: QuorumStateMachine;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly timing: RaftTiming;
  /** Bytes of applied entries after which the state machine takes the place of the log. */
  readonly snapshotEveryBytes: number;
  /** The driver has ended: the process must. Called at most once. */
  readonly onFatal: (error: HighwaterError) => void;
  readonly rules?: Rules;
}

/** Inputs of one step at the most. */
const turnInputsMax = 1_024;

interface Queued {
  readonly input: Input;
  /** Gives its sender the credit back. */
  readonly done: (() => void) | undefined;
}

/** One member of the quorum, running. */
export class Quorum {
  readonly #options: QuorumOptions;
  readonly #requests = new PendingRequests();
  readonly #machine: StateMachineDriver;
  readonly #watchers = new Set<(status: QuorumStatus) => void>();
  #state: RaftState;
  #queue: Queued[] = [];
  /** The read of the inputs that wait for the next step. */
  #read: Promise<LogIndex> | undefined;
  #isRunning = false;
  #isStopped = false;
  readonly #timer: DueTimer;

  constructor(options: QuorumOptions) {
    this.#options = options;
    const { self, timing, clock, rules, store } = options;
    this.#state = createMember({
      self,
      timing,
      ...store.loaded,
      now: clock.now(),
      random: this.#draw(),
      ...(rules === undefined ? {} : { rules }),
    });
    this.#machine = new StateMachineDriver(options.machine, options.snapshotEveryBytes);
    this.#timer = new DueTimer(clock, () => this.#wake());
  }

  /** Restores the state machine and begins to take part. */
  start(): void {
    const { transport, store } = this.#options;
    if (store.loaded.snapshot !== undefined) this.#machine.restore(store.loaded.snapshot);
    transport.start({
      onMessage: (message, done) => this.#enqueue({ kind: 'message', message }, done),
      onPeerLost: (peer) => this.#enqueue({ kind: 'peer-lost', peer }),
      onPeerGone: ({ nodeId }) => this.#enqueue({ kind: 'peer-gone', node: nodeId }),
    });
    transport.reach(reachableVoters(this.#state));
    this.#armTimer();
  }

  /** As in the status, for whoever asks often. */
  get isActive(): boolean {
    return isActive(this.#state, this.#machine.appliedIndex);
  }

  get status(): QuorumStatus {
    return statusOf(this.#state, this.#options.clock.now(), this.#machine.appliedIndex);
  }

  /** The core's state, for checks and for the journal. It never changes; a step makes another one. */
  get state(): RaftState {
    return this.#state;
  }

  /** Calls back after each step that changed the role, the term, the leader, the voters or the commit. */
  watch(watcher: (status: QuorumStatus) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /**
   * Resolves to the index once the entry is committed and applied here. Rejects with NOT_CONTROLLER if
   * it was certainly not proposed, with OUTCOME_UNKNOWN if the leadership ended before it was decided.
   */
  propose(data: Uint8Array): Promise<LogIndex> {
    return this.#request(data.length, (id) => ({ kind: 'propose', id, data }));
  }

  /** Resolves once everything committed before the call is applied here (rule B4.14). */
  readIndex(): Promise<LogIndex> {
    // Reads that no step has seen yet share one: its round begins after all of them.
    this.#read ??= this.#request(0, (id) => ({ kind: 'read', id }));
    return this.#read;
  }

  /** Hands the leadership to another voter; resolves when this node no longer leads. */
  async transferTo(to: NodeId): Promise<void> {
    await this.#request(0, (id) => ({ kind: 'transfer', id, to }));
  }

  /** Resolves once the voter has caught up and the configuration with it is committed. */
  async addVoter(voter: Voter): Promise<void> {
    await this.#changeVoters({ kind: 'add', voter });
  }

  async removeVoter(id: VoterId): Promise<void> {
    await this.#changeVoters({ kind: 'remove', id });
  }

  /** Ends without a word to anybody, as a crash would: what was proposed has an unknown outcome. */
  stop(): void {
    this.#end(new HighwaterError('SHUTTING_DOWN', 'the controller is stopping'));
  }

  async #changeVoters(change: VoterChange): Promise<void> {
    await this.#request(0, (id) => ({ kind: 'change-voters', id, change }));
  }

  #request(bytes: number, input: (id: number) => InputBody): Promise<LogIndex> {
    if (this.#isStopped) return Promise.reject(new HighwaterError('SHUTTING_DOWN', 'it has ended'));
    const request = this.#requests.add(bytes);
    if (request.id !== undefined) this.#enqueue(input(request.id));
    return request.settled;
  }

  #enqueue(body: InputBody, done?: () => void): void {
    if (this.#isStopped) return;
    const input = { ...body, now: this.#options.clock.now(), random: this.#draw() };
    this.#queue.push({ input, done });
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#options.clock.soon(() => void this.#run());
  }

  async #run(): Promise<void> {
    try {
      while (this.#queue.length > 0 && !this.#isStopped) await this.#turn();
    } catch (caught) {
      this.#fail(HighwaterError.from(caught));
    }
    this.#isRunning = false;
    this.#armTimer();
  }

  /** One batch: step, then the effects in order. */
  async #turn(): Promise<void> {
    // A flood is taken in portions, so that timers and peers are heard in between.
    const taken = this.#queue.splice(0, turnInputsMax);
    if (taken.some(({ input }) => input.kind === 'read')) this.#read = undefined;
    const before = this.#state;
    const [state, effects] = step(
      before,
      taken.map(({ input }) => input),
    );
    this.#state = state;
    const { persists, early, late, applies } = inOrder(effects);
    if (state.configurations !== before.configurations || state.role !== before.role) {
      this.#options.transport.reach(reachableVoters(state));
    }
    this.#send(early);
    if (persists.length > 0) {
      await this.#options.store.persist(persists);
      if (this.#isStopped) return;
      const { last } = state.log;
      if (last.index > state.flushedIndex) this.#enqueue({ kind: 'flushed', last });
    }
    this.#send(late);
    for (const effect of applies) this.#apply(effect);
    for (const { done } of taken) done?.();
    this.#requests.applied(this.#machine.appliedIndex);
    this.#maybeSnapshot();
    this.#tellWatchers(before);
  }

  #send(effects: readonly SendEffect[]): void {
    for (const { message } of effects) this.#options.transport.send(message);
  }

  #apply(effect: ApplyEffect): void {
    switch (effect.kind) {
      case 'restore':
        this.#machine.restore(effect.snapshot);
        return;
      case 'committed':
        this.#machine.apply(effect.entries);
        this.#requests.applied(this.#machine.appliedIndex);
        return;
      case 'proposed':
        this.#requests.proposed(effect.id, effect.index);
        return;
      case 'read-ready':
        for (const id of effect.ids) this.#requests.proposed(id, effect.index);
        this.#requests.applied(this.#machine.appliedIndex);
        return;
      case 'done':
        this.#requests.done(effect.id, this.#machine.appliedIndex);
        return;
      case 'rejected':
        this.#requests.reject(effect.id, new HighwaterError(effect.code, effect.reason));
        return;
      case 'event': {
        const { event, ...fields } = effect.event;
        this.#options.logger.info(event, 'The quorum changed.', fields);
        // What this leader proposed may yet be committed by its successor, or cut.
        if (event === 'quorum-stepped-down') this.#requests.leadershipEnded();
        return;
      }
    }
  }

  #maybeSnapshot(): void {
    const taken = this.#machine.maybeSnapshot();
    if (taken !== undefined) this.#enqueue({ kind: 'snapshot-taken', ...taken });
  }

  #tellWatchers(before: RaftState): void {
    const { role, hard, leader, commitIndex, configurations } = this.#state;
    const isSame =
      role.kind === before.role.kind &&
      hard.term === before.hard.term &&
      leader === before.leader &&
      commitIndex === before.commitIndex &&
      configurations === before.configurations &&
      changeOf(role) === changeOf(before.role);
    if (isSame || this.#watchers.size === 0) return;
    const { status } = this;
    for (const watcher of this.#watchers) watcher(status);
  }

  #armTimer(): void {
    if (!this.#isStopped) this.#timer.arm(wakeAt(this.#state));
  }

  #wake(): void {
    if (wakeAt(this.#state) <= this.#options.clock.now()) this.#enqueue({ kind: 'tick' });
    else this.#armTimer();
  }

  #fail(error: HighwaterError): void {
    if (this.#isStopped) return;
    this.#options.logger.error('quorum-failed', 'The controller cannot go on.', { error });
    this.#end(error);
    this.#options.onFatal(error);
  }

  #end(error: HighwaterError): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#queue = [];
    this.#timer.cancel();
    this.#options.transport.close();
    this.#requests.end(error);
  }

  #draw(): number {
    return this.#options.random.below(2 ** 32) / 2 ** 32;
  }
}
