/**
 * One member of a group: its stream to the coordinator, heartbeats on it, and what it is told to hold.
 * The heartbeat has a timer of its own: how long a handler takes says nothing about the member's life.
 *
 * Invariants: (1) the member id and what is held survive a change of the coordinator, so a failover moves
 * nothing; (2) once the coordinator may have given the member up, which is a session after the last
 * heartbeat that it is known to have heard, the member holds nothing any more and joins again. Such a
 * coordinator may have kept it all the same, if it stood still itself, and then would tell it nothing anew.
 */
import {
  type Assignment,
  type CoordinatorMessage,
  groupService,
  type MemberMessage,
  type TopicPartitions,
} from '../../proto/generated/highwater/v1/group.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { Timer } from '../../proto/ports/clock.ts';
import type { RpcChannel, RpcStream } from '../../proto/ports/rpc.ts';
import type { ClientParts } from '../client-parts.ts';
import { drawBackoff } from '../connection/backoff.ts';
import { pause } from '../connection/waiting.ts';
import type { ConsumerSettings } from './consumer-options.ts';
import type { GroupLine } from './group-line.ts';

export interface MembershipListener {
  onAssignment(assignment: Assignment): void;
  /** The session is over: whatever was held may be somebody else's. */
  onLost(): void;
  /** The stream broke; the member is looking for the coordinator. */
  onDisconnected(error: HighwaterError | undefined): void;
  /** The group will not have this member: the consumer ends with this error. */
  onRefused(error: HighwaterError): void;
  /** What is held at present, as it is told after each change. */
  held(): readonly TopicPartitions[];
}

interface Open {
  readonly channel: RpcChannel;
  stream: RpcStream<MemberMessage> | undefined;
  readonly closed: Promise<void>;
}

const backoff = { minMs: 20, maxMs: 500 };
const heartbeatMsMax = 1_000;
/** A coordinator that has not answered a heartbeat by then is left. */
const answerMs = 2_500;

export class GroupMembership {
  readonly member: string;
  readonly #parts: ClientParts;
  readonly #settings: ConsumerSettings;
  readonly #line: GroupLine;
  readonly #listener: MembershipListener;
  readonly #signal: AbortSignal;
  #generation = 0;
  #open: Open | undefined;
  #heartbeat: Timer | undefined;
  /** When the heartbeats that are not answered were sent, oldest first. */
  #unanswered: number[] = [];
  /** When the last message was sent that the coordinator is known to have heard. */
  #provenMs: number;
  #isAlive = false;
  #isLeaving = false;

  constructor(
    parts: ClientParts,
    settings: ConsumerSettings,
    line: GroupLine,
    { listener, signal }: { listener: MembershipListener; signal: AbortSignal },
  ) {
    this.#parts = parts;
    this.#settings = settings;
    this.#line = line;
    this.#listener = listener;
    this.#signal = signal;
    this.member = parts.machine.random.uuid();
    this.#provenMs = parts.machine.clock.now();
  }

  /** The latest that this member was told of. */
  get generation(): number {
    return this.#generation;
  }

  /** Joins, and joins again whenever the stream breaks, until it is told to leave. */
  async run(): Promise<void> {
    for (let failures = 0; !this.#isEnding; ) {
      try {
        const channel = await this.#line.coordinator();
        const isJoined = await this.#follow(channel);
        failures = isJoined ? 0 : failures + 1;
      } catch (caught) {
        failures++;
        const error = HighwaterError.from(caught);
        if (this.#isEnding) return;
        if (!error.retriable && error.code !== 'CLOSED' && error.code !== 'OUTCOME_UNKNOWN') {
          this.#lose();
          this.#refuse(error);
          return;
        }
      }
      this.checkSession();
      const { clock, random } = this.#parts.machine;
      if (!this.#isEnding && failures > 0)
        await pause(clock, drawBackoff(random, failures, backoff), this.#signal).catch(
          () => undefined,
        );
    }
  }

  /** Tells the coordinator what is held: what it had asked for and is not among it is free. */
  tellHeld(): void {
    const partitions = this.#listener.held();
    const value = { generation: this.#generation, partitions };
    this.#open?.stream?.send({ message: { kind: 'owned', value } });
  }

  /** Leaves for good; a static member only falls silent, since it may come back. */
  async leave(withinMs: number): Promise<void> {
    this.#isLeaving = true;
    this.#heartbeat?.cancel();
    const open = this.#open;
    if (open?.stream === undefined) return;
    if (this.#settings.instance === '') {
      open.stream.send({ message: { kind: 'leave', value: {} } });
      await Promise.race([
        open.closed,
        pause(this.#parts.machine.clock, withinMs, this.#signal).catch(() => undefined),
      ]);
    }
    open.stream.cancel();
  }

  get #isEnding(): boolean {
    return this.#isLeaving || this.#signal.aborted;
  }

  /** One stream from its hello to its end; true if the coordinator took the member in. */
  #follow(channel: RpcChannel): Promise<boolean> {
    return new Promise((resolve) => {
      let isJoined = false;
      const helloMs = this.#parts.machine.clock.now();
      let hasClosed = (): void => undefined;
      const open: Open = {
        channel,
        stream: undefined,
        closed: new Promise((closed) => {
          hasClosed = closed;
        }),
      };
      this.#open = open;
      this.#unanswered = [];
      open.stream = channel.stream(
        groupService.join,
        {
          onMessage: (message) => {
            // Whatever comes back proves that the hello was heard.
            if (!isJoined) this.#provenMs = Math.max(this.#provenMs, helloMs);
            isJoined = true;
            this.#onMessage(message);
          },
          onClose: (error) => {
            if (this.#open === open) this.#open = undefined;
            this.#heartbeat?.cancel();
            hasClosed();
            this.#onClose(channel, error);
            resolve(isJoined);
          },
        },
        { headers: this.#parts.channels.headers },
      );
      this.#hello(open);
    });
  }

  #hello(open: Open): void {
    const { group, topics, topicPattern, instance, assignor, rack, sessionTimeoutMs } =
      this.#settings;
    const { member } = this;
    const clientHost = this.#parts.channels.headers['highwater-client'] ?? '';
    const hello = { group, member, instance, topics, topicPattern, assignor, rack, clientHost };
    open.stream?.send({
      message: {
        kind: 'hello',
        value: { ...hello, sessionTimeoutMs: Math.round(sessionTimeoutMs) },
      },
    });
    if (this.#generation > 0) this.tellHeld();
    this.#beat(open);
  }

  /** Sends a heartbeat and arms the next; a coordinator that does not answer is left. */
  #beat(open: Open): void {
    if (this.#open !== open || this.#isEnding) return;
    const { clock } = this.#parts.machine;
    const nowMs = clock.now();
    if (this.checkSession(nowMs)) return;
    const oldest = this.#unanswered[0];
    if (oldest !== undefined && nowMs - oldest > answerMs) {
      this.#line.lost(open.channel);
      return;
    }
    this.#unanswered.push(nowMs);
    open.stream?.send({ message: { kind: 'heartbeat', value: {} } });
    const everyMs = Math.min(heartbeatMsMax, this.#settings.sessionTimeoutMs / 4);
    this.#heartbeat = clock.after(everyMs, () => this.#beat(open));
  }

  #onMessage({ message }: CoordinatorMessage): void {
    if (message?.kind === 'heartbeat') {
      const sentMs = this.#unanswered.shift();
      if (sentMs !== undefined) this.#provenMs = Math.max(this.#provenMs, sentMs);
      return;
    }
    if (message?.kind !== 'assignment') return;
    this.#isAlive = true;
    this.#generation = Math.max(this.#generation, message.value.generation);
    this.#listener.onAssignment(message.value);
  }

  #onClose(channel: RpcChannel, error: HighwaterError | undefined): void {
    if (this.#isEnding) return;
    this.checkSession();
    if (error?.code === 'UNKNOWN_MEMBER') {
      this.#lose();
      // Another process has the instance name: two would take it from each other for ever.
      if (error.facts['replaced'] === 'true') this.#refuse(error);
      return;
    }
    const isFinal = error !== undefined && !error.retriable && !passing.has(error.code);
    if (isFinal) {
      this.#refuse(error);
      return;
    }
    if (error?.code !== 'COORDINATOR_LOADING') this.#line.lost(channel);
    if (this.#isAlive) this.#listener.onDisconnected(error);
  }

  #refuse(error: HighwaterError): void {
    this.#isLeaving = true;
    this.#listener.onRefused(error);
  }

  /**
   * Gives up what is held if the session may be over: before anything more is handed out. A stream that
   * is open all the same is left, for only a member that joins is told what it is to hold. True if so.
   */
  checkSession(nowMs: number = this.#parts.machine.clock.now()): boolean {
    if (!this.#isAlive || nowMs - this.#provenMs < this.#settings.sessionTimeoutMs) return false;
    this.#lose();
    if (this.#open !== undefined) this.#line.lost(this.#open.channel);
    return true;
  }

  #lose(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#listener.onLost();
  }
}

/** Ends of a stream after which the member simply comes again. */
const passing: ReadonlySet<string> = new Set(['CLOSED', 'CANCELLED', 'INTERNAL', 'UNKNOWN_GROUP']);
