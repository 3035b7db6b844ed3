/** The flight recorder of the cluster as an async iterable: bounded reads, or following. */
import {
  adminService,
  type JournalEvent,
  type WatchEventsRequest,
} from '../../proto/generated/highwater/v1/admin.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { RpcStream } from '../../proto/ports/rpc.ts';
import { listenForAbort } from '../../proto/rpc/call/abort-listener.ts';
import type { ClientParts } from '../client-parts.ts';
import { drawBackoff } from '../connection/backoff.ts';
import { cancelledBefore, pause, throwIfAborted } from '../connection/waiting.ts';

export interface EventsOptions {
  /** Go on with what happens; otherwise end with what was kept. */
  readonly follow?: boolean;
  /** First sequence number wanted; the oldest kept by default. */
  readonly fromSequence?: number;
  /** Only these, such as `leader-elected`. */
  readonly kind?: string;
  /** Only about this, such as `orders/3`. */
  readonly subject?: string;
  readonly signal?: AbortSignal;
}

/** One thing that happened, and why. */
export interface ClusterEvent {
  readonly sequence: number;
  readonly wallMs: number;
  readonly kind: string;
  readonly subject: string;
  readonly reason: string;
  readonly evidence: Readonly<Record<string, string>>;
  readonly revision: number;
}

/** Events not yet taken beyond which the stream is not read. */
const eventsQueuedMax = 1_000;
const backoff = { minMs: 20, maxMs: 500 };
/** Failures one after the other for so long are told. */
const patienceMs = 30_000;

/** What one stream has brought and the loop has not taken. */
class EventQueue {
  readonly events: JournalEvent[] = [];
  isCaughtUp = false;
  end: { readonly error: HighwaterError | undefined } | undefined;
  #wake: (() => void) | undefined;

  wake(): void {
    this.#wake?.();
  }

  moved(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/**
 * Events in their order. Where the broker that tells them dies, another one goes on. Each controller numbers
 * its own events, so the revision says which of them are behind the last that was given.
 */
export async function* clusterEvents(
  parts: ClientParts,
  options: EventsOptions = {},
): AsyncGenerator<ClusterEvent> {
  const { clock, random } = parts.machine;
  const { signal } = options;
  let last: ClusterEvent | undefined;
  let failingSinceMs: number | undefined;
  for (let failures = 1; ; failures++) {
    const beganMs = clock.now();
    try {
      const from = last === undefined ? options : { ...options, fromSequence: 0 };
      for await (const event of eventsOfOne(parts, from)) {
        if (last !== undefined && !isBehind(event, last)) continue;
        yield event;
        last = event;
        failingSinceMs = undefined;
        failures = 1;
      }
      return;
    } catch (caught) {
      const error = HighwaterError.from(caught);
      const nowMs = clock.now();
      // A stream that was open for long had nothing to tell: it did not fail all that time.
      if (nowMs - beganMs > patienceMs) failingSinceMs = undefined;
      failingSinceMs ??= nowMs;
      const isOver = signal?.aborted === true || nowMs - failingSinceMs > patienceMs;
      if (isOver || !error.retriable) throw error;
    }
    parts.metadata.suspect();
    await pause(clock, drawBackoff(random, failures, backoff), signal);
  }
}

/** Controllers share no revision: within one the numbers are of one journal. */
function isBehind(event: ClusterEvent, last: ClusterEvent): boolean {
  if (event.revision !== last.revision) return event.revision > last.revision;
  return event.sequence > last.sequence;
}

/** Reads events from the broker that the metadata comes from, as long as that lives. */
async function* eventsOfOne(
  { channels, metadata }: ClientParts,
  options: EventsOptions,
): AsyncGenerator<ClusterEvent> {
  const { signal, follow = false } = options;
  throwIfAborted(signal);
  const { address } = metadata;
  if (address === undefined) throw new HighwaterError('CONNECTION_LOST', 'no broker answers');
  const queue = new EventQueue();
  const stream: RpcStream<WatchEventsRequest> = channels.to(address, 'control').stream(
    adminService.watchEvents,
    {
      onMessage: (message) => {
        queue.events.push(...message.events);
        if (message.caughtUp) queue.isCaughtUp = true;
        if (queue.events.length > eventsQueuedMax) stream.pause();
        queue.wake();
      },
      onClose: (error) => {
        queue.end = { error };
        queue.wake();
      },
    },
    { headers: channels.headers },
  );
  const onAbort = (): void => {
    queue.end = { error: signal === undefined ? undefined : cancelledBefore(signal) };
    queue.wake();
  };
  if (signal !== undefined) listenForAbort(signal, onAbort);
  const { fromSequence = 0, kind = '', subject = '' } = options;
  stream.send({ fromSequence, follow, kind, subject });
  try {
    for (;;) {
      for (const event of queue.events.splice(0)) yield eventOf(event);
      stream.resume();
      if (queue.events.length > 0) continue;
      if (queue.end?.error !== undefined) throw queue.end.error;
      if (queue.isCaughtUp && !follow) return;
      if (queue.end !== undefined)
        throw new HighwaterError('CONNECTION_LOST', 'the broker ended the stream of events');
      await queue.moved();
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stream.cancel();
  }
}

function eventOf(event: JournalEvent): ClusterEvent {
  return { ...event, evidence: Object.fromEntries(event.evidence) };
}
