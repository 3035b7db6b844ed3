/**
 * The one queue of the active controller: decide, propose, await the commit, answer.
 *
 * Requests that wait together are decided one on top of the other and become one entry of the quorum,
 * so a flush serves all of them. Nothing is answered before its commit, refusals included where they
 * rest on a change that is not committed yet (rule B4.18). A leadership that ends leaves every
 * undecided request with an unknown outcome; the image they were decided on is dropped.
 */
import type { MetadataImage } from '../proto/metadata/image.ts';
import { encodeRecords, type MetadataRecord } from '../proto/metadata/records.ts';
import { replay } from '../proto/metadata/replay.ts';
import { HighwaterError } from '../proto/model/errors.ts';
import { type Revision, revision } from '../proto/model/offset.ts';
import type { EventDraft, Outcome } from './cluster/core/decision.ts';

/** What the queue stands on: the committed image and a way to commit more. */
export interface DecisionGround {
  readonly image: MetadataImage;
  /** This controller leads and has applied everything before its term. */
  readonly isActive: boolean;
  /** Resolves to the index once the entry is committed and applied here. */
  propose(data: Uint8Array): Promise<number>;
  /** Called once the events' change is committed. */
  onCommitted(events: readonly EventDraft[], at: Revision): void;
}

export interface Committed<Response> {
  readonly response: Response;
  /** The revision of the change; for a decision without records, that of the image it was made on. */
  readonly revision: Revision;
  /** The decision had records, so others may be due on what it left. */
  readonly isChange: boolean;
}

export type Decision<Response> = (image: MetadataImage) => Outcome<Response>;

interface Waiting {
  readonly decide: Decision<unknown>;
  readonly resolve: (committed: Committed<unknown>) => void;
  readonly reject: (error: HighwaterError) => void;
}

/** Decisions in one entry; more wait for the next. */
const batchMax = 1_000;
const waitingMax = 10_000;

export class DecisionQueue {
  readonly #ground: DecisionGround;
  readonly #waiting: Waiting[] = [];
  #isRunning = false;

  constructor(ground: DecisionGround) {
    this.#ground = ground;
  }

  decide<Response>(decide: Decision<Response>): Promise<Committed<Response>> {
    if (!this.#ground.isActive) return Promise.reject(notActive());
    if (this.#waiting.length >= waitingMax)
      return Promise.reject(
        new HighwaterError('OVERLOADED', 'too many changes wait for the quorum'),
      );
    return new Promise((resolve, reject) => {
      this.#waiting.push({ decide, resolve: resolve as Waiting['resolve'], reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      if (!this.#ground.isActive) {
        for (const { reject } of this.#waiting.splice(0)) reject(notActive());
        break;
      }
      await this.#runBatch();
    }
    this.#isRunning = false;
  }

  async #runBatch(): Promise<void> {
    const batch = new Batch(this.#ground.image);
    while (this.#waiting.length > 0 && batch.count < batchMax && !batch.isSealed) {
      const next = this.#waiting.shift();
      if (next !== undefined) batch.add(next);
    }
    if (batch.records.length === 0) {
      const at = this.#ground.image.revision;
      if (batch.events.length > 0) this.#ground.onCommitted(batch.events, at);
      return batch.settle(at);
    }
    try {
      const at = revision(await this.#ground.propose(encodeRecords(batch.records)));
      this.#ground.onCommitted(batch.events, at);
      batch.settle(at);
    } catch (caught) {
      batch.fail(HighwaterError.from(caught));
    }
  }
}

/** Decisions that become one change. */
class Batch {
  readonly records: MetadataRecord[] = [];
  readonly events: EventDraft[] = [];
  /** An incarnation's epoch is the revision of its commit, so nothing is decided on top of one. */
  isSealed = false;
  #image: MetadataImage;
  readonly #decided: { readonly waiting: Waiting; readonly outcome: Outcome<unknown> }[] = [];

  constructor(image: MetadataImage) {
    this.#image = image;
  }

  get count(): number {
    return this.#decided.length;
  }

  add(waiting: Waiting): void {
    let outcome: Outcome<unknown>;
    try {
      outcome = waiting.decide(this.#image);
    } catch (caught) {
      waiting.reject(HighwaterError.from(caught));
      return;
    }
    if (outcome.kind === 'refused' || outcome.records.length === 0) {
      this.#decided.push({ waiting, outcome });
      if (outcome.kind === 'decided') this.events.push(...outcome.events);
      return;
    }
    const next = revision(this.#image.revision + 1);
    const { image, refused } = replay(this.#image, next, outcome.records);
    if (refused !== undefined) {
      // Every node would skip the whole change, and with it the other decisions of this batch.
      waiting.reject(new HighwaterError('INTERNAL', `a decision is bad: ${refused.reason}`));
      return;
    }
    this.#decided.push({ waiting, outcome });
    this.events.push(...outcome.events);
    this.records.push(...outcome.records);
    this.#image = image;
    this.isSealed = outcome.records.some((one) => one.body?.kind === 'brokerRegistered');
  }

  settle(at: Revision): void {
    for (const { waiting, outcome } of this.#decided) {
      if (outcome.kind === 'decided')
        waiting.resolve({
          response: outcome.response,
          revision: at,
          isChange: outcome.records.length > 0,
        });
      else
        waiting.reject(
          new HighwaterError(outcome.code, outcome.message, {
            facts: outcome.facts,
            outcome: 'not-written',
          }),
        );
    }
  }

  fail(error: HighwaterError): void {
    for (const { waiting } of this.#decided) waiting.reject(error);
  }
}

function notActive(): HighwaterError {
  return new HighwaterError('NOT_CONTROLLER', 'this controller is not the active one', {
    outcome: 'not-written',
  });
}
