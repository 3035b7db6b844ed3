/**
 * One way to write records into one system: a client, its settings, a shape of topic. Each runs for about
 * the same time: its speed of the round before decides how many records it gets.
 */
import { settle } from '../harness/rounds.ts';

/** The load that contestants of one row share. */
export interface Load {
  readonly valueBytes: number;
  readonly flush: 'os' | 'ack';
  readonly partitions: number;
}

/** What one run has shown. */
export interface Shown {
  readonly recordsPerSecond: number;
  /** CPU seconds of the three nodes, and of the client, for each GB of values. */
  readonly nodesCpuPerGB: number;
  readonly clientCpuPerGB: number;
}

export interface Contestant {
  /** Names its samples. */
  readonly name: string;
  readonly system: 'highwater' | 'kafka' | 'nats';
  /** A guess at records a second, for the first round. */
  readonly guess: number;
  /** Fewer records would measure the start of the client and not its speed. */
  readonly recordsMin: number;
  /** Writes so many records into a fresh topic. */
  run(count: number): Promise<Shown>;
}

/** A gain is a tenth: less is noise, with servers of other makers. */
const faster = 1.1;

/** A contestant with what it has shown in its rounds. */
export class Runner {
  readonly contestant: Contestant;
  readonly shown: Shown[] = [];
  readonly #warm: (records: number) => Promise<void>;
  #last: number;

  /** `warm` is called before each run with the number of its records. */
  constructor(contestant: Contestant, warm: (records: number) => Promise<void>) {
    this.contestant = contestant;
    this.#warm = warm;
    this.#last = contestant.guess;
  }

  /** Rounds that only warm up: servers, compilers, page cache. Ends when they get no faster. */
  async warmUp(seconds: number, roundsMax: number): Promise<void> {
    const measure = async (): Promise<number> => {
      this.#last = (await this.#run(seconds)).recordsPerSecond;
      return this.#last;
    };
    await settle(roundsMax, [{ name: this.contestant.name, measure }], faster);
  }

  /** Records a second of one round. */
  async measure(seconds: number): Promise<number> {
    const shown = await this.#run(seconds);
    this.#last = shown.recordsPerSecond;
    this.shown.push(shown);
    return this.#last;
  }

  async #run(seconds: number): Promise<Shown> {
    const count = Math.max(this.contestant.recordsMin, Math.round(this.#last * seconds));
    await this.#warm(count);
    return this.contestant.run(count);
  }
}
