/**
 * Calls that any broker answers: to the broker that the metadata comes from, then to the next one,
 * until one answers or the time is over. A change carries a request id that stays the same over its
 * attempts, so it is applied once and a retry is answered as the first time (rule 6.13).
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { Revision } from '../../proto/model/offset.ts';
import type { UnaryMethod } from '../../proto/ports/rpc.ts';
import { drawBackoff } from '../connection/backoff.ts';
import type { BrokerChannels, ClientMachine } from '../connection/broker-channels.ts';
import { pause, throwIfAborted } from '../connection/waiting.ts';
import type { MetadataWatch } from '../metadata/metadata-watch.ts';

/** Options of every administrative call. */
export interface CallLimits {
  /** For all attempts together. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const timeoutMsDefault = 30_000;
const attemptMsMax = 10_000;
const doubtMs = 1_000;
/** How long to wait until this client's own view shows a change that was just made. */
const viewMsMax = 5_000;
const backoff = { minMs: 50, maxMs: 1_000 };

export class AdminCalls {
  readonly #machine: ClientMachine;
  readonly #channels: BrokerChannels;
  readonly #metadata: MetadataWatch;

  constructor(machine: ClientMachine, channels: BrokerChannels, metadata: MetadataWatch) {
    this.#machine = machine;
    this.#channels = channels;
    this.#metadata = metadata;
  }

  /** An id that names one change over all of its attempts. */
  requestId(): string {
    return this.#machine.random.uuid();
  }

  /** Calls with retries; `at` names a broker that must answer, else any does. */
  async call<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    limits: CallLimits = {},
    at?: () => string | undefined,
  ): Promise<Response> {
    const { clock, random } = this.#machine;
    const deadlineMs = clock.now() + (limits.timeoutMs ?? timeoutMsDefault);
    let address = at === undefined ? this.#metadata.address : at();
    let last: HighwaterError | undefined;
    for (let failures = 1; ; failures++) {
      throwIfAborted(limits.signal);
      this.#channels.checkOpen();
      const leftMs = deadlineMs - clock.now();
      if (leftMs <= 0) throw last ?? new HighwaterError('DEADLINE_EXCEEDED', 'no broker answered');
      if (address !== undefined) {
        // A broker may take long; one that is silent on its metadata as well is not worth the wait.
        const doubt = clock.after(doubtMs, () => this.#metadata.suspect());
        try {
          return await this.#channels.ask(address, method, request, {
            deadlineMs: Math.min(leftMs, attemptMsMax),
            ...(limits.signal === undefined ? {} : { signal: limits.signal }),
          });
        } catch (caught) {
          last = HighwaterError.from(caught);
          if (!last.retriable) throw last;
          this.#metadata.suspect();
        } finally {
          doubt.cancel();
        }
      }
      const waitMs = Math.min(drawBackoff(random, failures, backoff), deadlineMs - clock.now());
      await pause(clock, Math.max(0, waitMs), limits.signal);
      if (at !== undefined) address = at();
      else if (address === undefined) address = this.#metadata.address;
      else address = this.#metadata.otherThan(address);
    }
  }

  /** A change, and then the wait until this client sees it: what follows can rely on it. */
  async change<Request, Response extends { readonly revision: Revision }>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    limits: CallLimits = {},
  ): Promise<Response> {
    const response = await this.call(method, request, limits);
    await this.seen(response.revision, viewMsMax, limits.signal);
    return response;
  }

  /** Waits until this client's own view has reached a revision; goes on without it when time is up. */
  async seen(revision: Revision, timeoutMs = viewMsMax, signal?: AbortSignal): Promise<void> {
    const deadlineMs = this.#machine.clock.now() + timeoutMs;
    await this.#metadata.reached((view) => view.revision >= revision, deadlineMs, signal);
  }
}
