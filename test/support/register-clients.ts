/**
 * Clients that read and write settings of topics as registers, through any broker, and keep when each
 * operation began and ended. Reads are linearizable ones. Every value is written once. Half of the
 * clients only read, so that somebody reads while a broker can pass on no change.
 */
import { adminService } from '../../proto/generated/highwater/v1/admin.ts';
import { metadataService } from '../../proto/generated/highwater/v1/metadata.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { revision } from '../../proto/model/offset.ts';
import { nodeClock } from '../../proto/ports/node/node-clock.ts';
import type { RpcChannel } from '../../proto/ports/rpc.ts';
import { GrpcConnector } from '../../proto/rpc/grpc/connector.ts';
import type { RegisterOperation } from './linearizability.ts';

const setting = 'retention.ms';
const deadlineMs = 20_000;
/** Between two operations of a client: answers that need nobody would fill the history. */
const pauseMs = 5;
/** Room for the values of one client. */
const valuesEach = 1_000_000;

export class RegisterClients {
  readonly operations: RegisterOperation[] = [];
  readonly #channels: readonly RpcChannel[];
  readonly #running: Promise<unknown>;
  readonly #ended: number[];
  #isStopping = false;

  /** `registers` are topics that exist; each client goes on with the next of them. */
  constructor(brokers: readonly string[], registers: readonly string[], count: number) {
    const connector = new GrpcConnector({ clock: nodeClock });
    this.#channels = brokers.map((broker) => connector.connect(broker, 'registers'));
    this.#ended = Array.from({ length: count }, () => 0);
    this.#running = Promise.all(this.#ended.map((_, client) => this.#run(client, registers)));
  }

  /** Resolves once each client has ended so many more operations. */
  async progress(more: number, withinMs = 30_000): Promise<void> {
    const wanted = this.#ended.map((ended) => ended + more);
    const deadline = performance.now() + withinMs;
    while (wanted.some((count, client) => (this.#ended[client] ?? 0) < count)) {
      if (performance.now() > deadline)
        throw new Error(`clients made no progress within ${withinMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
    await Promise.all(this.#channels.map((channel) => channel.close()));
  }

  async #run(client: number, registers: readonly string[]): Promise<void> {
    const channel = this.#channels[client % this.#channels.length];
    if (channel === undefined) return;
    for (let step = 0; !this.#isStopping; step++) {
      const register = registers[(step + client) % registers.length] ?? '';
      const isWriter = client < this.#ended.length / 2;
      if (isWriter && (step + client) % 3 === 0)
        await this.#write(channel, register, String(1 + client * valuesEach + step));
      else await this.#read(channel, register);
      this.#ended[client] = step + 1;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async #write(channel: RpcChannel, register: string, value: string): Promise<void> {
    const operation = { register, kind: 'write', value, invokedAt: performance.now() } as const;
    const request = {
      requestId: crypto.randomUUID(),
      name: register,
      set: new Map([[setting, value]]),
      reset: [],
    };
    try {
      await channel.unary(adminService.alterTopic, request, { deadlineMs });
      this.operations.push({ ...operation, answeredAt: performance.now() });
    } catch (caught) {
      if (!HighwaterError.from(caught).mayHaveBeenApplied) return;
      this.operations.push({ ...operation, answeredAt: undefined });
    }
  }

  async #read(channel: RpcChannel, register: string): Promise<void> {
    const invokedAt = performance.now();
    const request = { topics: [register], minRevision: revision(0), linearizable: true };
    try {
      const { topics } = await channel.unary(metadataService.getMetadata, request, { deadlineMs });
      const value = topics[0]?.config.get(setting);
      const answeredAt = performance.now();
      this.operations.push({ register, kind: 'read', value, invokedAt, answeredAt });
    } catch {
      // A read without an answer says nothing.
    }
  }
}
