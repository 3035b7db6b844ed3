/** `consumer.run`: records to handlers, errors to retries and the dead-letter topic, ends to whoever waits. */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { ClientParts } from '../client-parts.ts';
import { checkedCount } from '../connection/checked-input.ts';
import { pause } from '../connection/waiting.ts';
import { Producer } from '../producer/producer.ts';
import type { ReadRecord } from '../reader/read-record.ts';
import type { ConsumerParts } from './consumer-parts.ts';
import { type DeadLetterOptions, deadLetterOf } from './dead-letter.ts';
import { HandlerLanes } from './handler-lanes.ts';
import type { Delivery } from './record-source.ts';

/** Handles one record; resolving says that it is handled. The signal aborts when the consumer closes. */
export type RecordHandler = (record: ReadRecord, signal: AbortSignal) => Promise<void> | void;

export interface RunOptions {
  /** Keys side by side, records of a key in order; one at a time by default. */
  readonly concurrency?: { readonly byKey: number };
  readonly deadLetter?: DeadLetterOptions;
}

/** A run that was begun. */
export interface Run {
  /** Resolves after `stop`; rejects with what ended the run otherwise. */
  readonly ended: Promise<void>;
  /** Begins no further record; resolves once those under way are done. */
  stop(): Promise<void>;
}

const lanesMax = 10_000;
const retryPauseMsDefault = 100;

/** Begins to hand records to the handler. */
export function runHandlers(
  clientParts: ClientParts,
  parts: ConsumerParts,
  handler: RecordHandler,
  options: RunOptions,
): Run {
  const lanesWanted = checkedCount(options.concurrency?.byKey ?? 1, 1, 'concurrency.byKey');
  const attempts = new HandlerAttempts(clientParts, parts, handler, options.deadLetter);
  let failed: { readonly error: unknown } | undefined;
  const lanes = new HandlerLanes(
    Math.min(lanesMax, lanesWanted),
    (delivery) => attempts.handle(delivery),
    (error) => {
      // A handler that its signal told to give up has not failed; its record is not committed.
      if (!parts.signal.aborted) failed ??= { error };
      parts.source.interrupt();
      void lanes.stop();
    },
  );
  const run = async (): Promise<void> => {
    parts.runs(lanes);
    try {
      for (;;) {
        const delivery = await parts.source.nextRecord();
        if (delivery === undefined) break;
        await lanes.push(delivery);
        if (failed !== undefined) break;
      }
    } catch (error) {
      failed ??= { error };
    } finally {
      await lanes.stop();
      await parts.commitFinished().catch(() => undefined);
      await attempts.close();
      parts.runs(undefined);
    }
    if (failed === undefined) return;
    parts.source.goOn();
    parts.rewind();
    throw failed.error;
  };
  return { ended: run(), stop: () => lanes.stop() };
}

/** One record, as often as the options allow; then its copy to the dead-letter topic. */
class HandlerAttempts {
  readonly #clientParts: ClientParts;
  readonly #parts: ConsumerParts;
  readonly #handler: RecordHandler;
  readonly #deadLetter: DeadLetterOptions | undefined;
  #producer: Producer | undefined;

  constructor(
    clientParts: ClientParts,
    parts: ConsumerParts,
    handler: RecordHandler,
    deadLetter: DeadLetterOptions | undefined,
  ) {
    this.#clientParts = clientParts;
    this.#parts = parts;
    this.#handler = handler;
    this.#deadLetter = deadLetter;
  }

  async handle({ item }: Delivery<ReadRecord>): Promise<void> {
    const { signal } = this.#parts;
    const { retries = 0, retryPauseMs = retryPauseMsDefault } = this.#deadLetter ?? {};
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#handler(item, signal);
        return;
      } catch (error) {
        if (this.#deadLetter === undefined) throw error;
        if (attempt >= retries) return this.#giveUp(item, error, this.#deadLetter);
      }
      await pause(this.#clientParts.machine.clock, retryPauseMs, signal);
    }
  }

  async close(): Promise<void> {
    await this.#producer?.close();
  }

  /** The record counts as handled only once its copy is as safe as records can be. */
  async #giveUp(record: ReadRecord, error: unknown, { topic }: DeadLetterOptions): Promise<void> {
    const { settings } = this.#parts;
    this.#producer ??= new Producer(this.#clientParts, { acks: 'all' }, () => undefined);
    try {
      await this.#producer.send(deadLetterOf(record, error, { topic, group: settings.group }));
    } catch (caught) {
      throw new HighwaterError(
        HighwaterError.from(caught).code,
        'the dead-letter topic took no copy',
        {
          cause: caught,
          facts: { topic },
        },
      );
    }
    const { topic: from, partition, offset } = record;
    settings.onEvent({ kind: 'dead-letter', topic: from, partition, offset, error });
  }
}
