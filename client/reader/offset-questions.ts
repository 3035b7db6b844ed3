/**
 * Questions about offsets to the leaders of partitions. Those that come up in one turn go to each
 * broker in one call: whoever opens a topic of a thousand partitions asks each leader once.
 */
import {
  fetchService,
  type OffsetAnswer,
  type OffsetQuery,
} from '../../proto/generated/highwater/v1/fetch.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { BrokerChannels } from '../connection/broker-channels.ts';
import { errorOfFailure } from '../connection/failure.ts';

interface Waiting {
  readonly query: OffsetQuery;
  readonly answered: (answer: OffsetAnswer) => void;
  readonly failed: (error: HighwaterError) => void;
}

/** Who answers: the leader as it thinks it is, or one that proves it first. */
export type OffsetLevel = 'leader' | 'linearizable';

const attemptMs = 5_000;
/** Questions of one call; the rest go in further ones at the same time. */
const questionsPerCall = 1_000;

/** Shared by all readers of one client. */
export class OffsetQuestions {
  readonly #channels: BrokerChannels;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(channels: BrokerChannels, clock: Clock) {
    this.#channels = channels;
    this.#clock = clock;
  }

  /** One attempt; rejects with what the broker says of this partition, or with why it did not answer. */
  ask(address: string, query: OffsetQuery, level: OffsetLevel): Promise<OffsetAnswer> {
    return new Promise((answered, failed) => {
      const key = `${level} ${address}`;
      const one = { query, answered, failed };
      const begun = this.#waiting.get(key);
      if (begun !== undefined) {
        begun.push(one);
        return;
      }
      const waiting = [one];
      this.#waiting.set(key, waiting);
      this.#clock.soon(() => {
        this.#waiting.delete(key);
        for (let from = 0; from < waiting.length; from += questionsPerCall)
          void this.#call(address, level, waiting.slice(from, from + questionsPerCall));
      });
    });
  }

  async #call(address: string, level: OffsetLevel, asked: readonly Waiting[]): Promise<void> {
    try {
      const { partitions } = await this.#channels.ask(
        address,
        fetchService.listOffsets,
        { partitions: asked.map(({ query }) => query), level },
        { deadlineMs: attemptMs },
      );
      for (const [at, { answered, failed }] of asked.entries()) {
        const answer = partitions[at];
        if (answer === undefined)
          failed(new HighwaterError('INTERNAL', 'an answer without this partition'));
        else if (answer.failure !== undefined) failed(errorOfFailure(answer.failure));
        else answered(answer);
      }
    } catch (caught) {
      const error = HighwaterError.from(caught);
      for (const { failed } of asked) failed(error);
    }
  }
}
