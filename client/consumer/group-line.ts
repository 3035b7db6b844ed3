/**
 * The way to the coordinator of a group: found through any broker, used until it fails, found again.
 * Questions and commits go to the same broker as the member's stream.
 */
import { groupService } from '../../proto/generated/highwater/v1/group.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { RpcChannel, UnaryMethod } from '../../proto/ports/rpc.ts';
import type { ClientParts } from '../client-parts.ts';
import { drawBackoff } from '../connection/backoff.ts';
import { pause } from '../connection/waiting.ts';
import { addressOf } from '../metadata/broker-rotation.ts';

const findMs = 10_000;
const attemptMs = 10_000;
const backoff = { minMs: 20, maxMs: 500 };

export class GroupLine {
  readonly #parts: ClientParts;
  readonly #group: string;
  readonly #signal: AbortSignal;
  #channel: RpcChannel | undefined;
  #finding: Promise<RpcChannel> | undefined;

  /** The signal ends every wait. */
  constructor(parts: ClientParts, group: string, signal: AbortSignal) {
    this.#parts = parts;
    this.#group = group;
    this.#signal = signal;
  }

  /** The channel to the coordinator; one search at a time. */
  coordinator(): Promise<RpcChannel> {
    if (this.#channel !== undefined) return Promise.resolve(this.#channel);
    this.#finding ??= this.#find().finally(() => {
      this.#finding = undefined;
    });
    return this.#finding;
  }

  /** The broker behind the channel is not, or no longer, the coordinator, or does not answer. */
  lost(channel: RpcChannel): void {
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    this.#parts.channels.drop(channel);
    this.#parts.metadata.suspect();
  }

  /** Asks the coordinator, whoever that is by then, until it answers or time is up. */
  async call<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Response> {
    const { clock, random } = this.#parts.machine;
    const deadlineMs = clock.now() + timeoutMs;
    for (let failures = 1; ; failures++) {
      let channel: RpcChannel | undefined;
      try {
        channel = await this.coordinator();
        return await channel.unary(method, request, {
          deadlineMs: Math.max(1, Math.min(attemptMs, deadlineMs - clock.now())),
          headers: this.#parts.channels.headers,
          signal: this.#signal,
        });
      } catch (caught) {
        const error = HighwaterError.from(caught);
        const isPassing = error.retriable || error.code === 'CLOSED';
        if (!isPassing || clock.now() >= deadlineMs || this.#signal.aborted) throw error;
        if (channel !== undefined && error.code !== 'COORDINATOR_LOADING') this.lost(channel);
      }
      await pause(clock, drawBackoff(random, failures, backoff), this.#signal);
    }
  }

  close(): void {
    if (this.#channel !== undefined) this.#parts.channels.drop(this.#channel);
    this.#channel = undefined;
  }

  async #find(): Promise<RpcChannel> {
    const { calls, channels } = this.#parts;
    const found = await calls.call(
      groupService.findCoordinator,
      { group: this.#group },
      { timeoutMs: findMs, signal: this.#signal },
    );
    this.#channel = channels.open(addressOf(found), 'control');
    return this.#channel;
  }
}
