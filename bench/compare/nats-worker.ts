/** The Node client of NATS JetStream, in its own process. */
import { type JetStreamClient, jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { randomPayloads } from '../harness/payload.ts';
import { serveWorker } from '../harness/worker.ts';
import { keepInFlight } from './in-flight.ts';
import {
  noAnswer,
  type PeerAnswer,
  type PeerProduce,
  type PeerRequest,
  type PeerSteady,
} from './peer-requests.ts';

async function produce(request: PeerProduce): Promise<PeerAnswer> {
  const { servers, topic, valueBytes, count, inFlight } = request;
  const connection = await connect({ servers: [...servers] });
  const client = jetstream(connection, { timeout: 30_000 });
  const values = randomPayloads(1_000, valueBytes);
  try {
    const began = performance.now();
    await keepInFlight({ sends: count, inFlight }, (index) =>
      client.publish(topic, values[index % values.length]),
    );
    return { ...noAnswer, seconds: (performance.now() - began) / 1000, acknowledged: count };
  } finally {
    await connection.close();
  }
}

/** Publishes on a beat and tries each record again until it is acknowledged, as its users do. */
class SteadyPublisher {
  readonly #connection: NatsConnection;
  readonly #client: JetStreamClient;
  readonly #timer: NodeJS.Timeout;
  readonly #topic: string;
  #isEnded = false;
  #acknowledged = 0;
  #lastAckAt = performance.now();
  #longestGapMs = 0;

  constructor(connection: NatsConnection, { topic, everyMs }: PeerSteady) {
    this.#connection = connection;
    this.#topic = topic;
    this.#client = jetstream(connection, { timeout: 1_000 });
    this.#timer = setInterval(() => void this.#publish(), everyMs);
  }

  count(): PeerAnswer {
    return { ...noAnswer, acknowledged: this.#acknowledged };
  }

  async end(): Promise<PeerAnswer> {
    clearInterval(this.#timer);
    this.#isEnded = true;
    this.#noteGap();
    await this.#connection.close();
    return { seconds: 0, acknowledged: this.#acknowledged, longestGapMs: this.#longestGapMs };
  }

  async #publish(): Promise<void> {
    while (!this.#isEnded) {
      try {
        await this.#client.publish(this.#topic, 'x'.repeat(100));
        this.#acknowledged++;
        this.#noteGap();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  #noteGap(): void {
    const now = performance.now();
    this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastAckAt);
    this.#lastAckAt = now;
  }
}

let steady: SteadyPublisher | undefined;

serveWorker(async (request: PeerRequest): Promise<PeerAnswer> => {
  switch (request.kind) {
    case 'produce':
      return produce(request);
    case 'steady':
      steady = new SteadyPublisher(await connect({ servers: [...request.servers] }), request);
      return noAnswer;
    case 'steady-count':
      return steady?.count() ?? noAnswer;
    case 'steady-end':
      return (await steady?.end()) ?? noAnswer;
  }
});
