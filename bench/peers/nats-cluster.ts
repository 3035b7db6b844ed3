/** Three servers of NATS with JetStream, each stream on all three. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { freePorts } from '../../broker/main/free-ports.ts';
import { natsServer } from './locations.ts';
import { PeerProcess } from './peer-process.ts';

const nodeIds = [1, 2, 3];
/** A code of its API. */
const streamNotFound = 10_059;
const answersWithinMs = 30_000;

export class NatsCluster {
  readonly servers: readonly string[];
  readonly nodes: readonly PeerProcess[];
  readonly #connection: NatsConnection;

  private constructor(
    servers: readonly string[],
    nodes: readonly PeerProcess[],
    connection: NatsConnection,
  ) {
    this.servers = servers;
    this.nodes = nodes;
    this.#connection = connection;
  }

  static async start(directory: string): Promise<NatsCluster> {
    const ports = await freePorts(nodeIds.length * 2);
    const port = (index: number): number => ports[index] ?? 0;
    const routes = nodeIds.map((id) => `nats://127.0.0.1:${port(id * 2 - 1)}`).join(',');
    const nodes = await Promise.all(
      nodeIds.map(async (id) => {
        const configuration = join(directory, `nats-${id}.conf`);
        await writeFile(
          configuration,
          [
            `server_name: n${id}`,
            `listen: 127.0.0.1:${port(id * 2 - 2)}`,
            `jetstream { store_dir: "${join(directory, `nats-data-${id}`)}" }`,
            `cluster { name: peers, listen: 127.0.0.1:${port(id * 2 - 1)}, routes: [${routes}] }`,
            '',
          ].join('\n'),
        );
        return new PeerProcess({
          command: natsServer,
          argv: ['-c', configuration],
          logPath: join(directory, `nats-${id}.log`),
          port: port(id * 2 - 2),
        });
      }),
    );
    const servers = nodeIds.map((id) => `127.0.0.1:${port(id * 2 - 2)}`);
    try {
      await Promise.all(nodes.map((node) => node.listens()));
      return new NatsCluster(servers, nodes, await connect({ servers }));
    } catch (error) {
      await Promise.all(nodes.map((node) => node.signal('SIGKILL')));
      throw error;
    }
  }

  /** A stream of one subject, its name. */
  async createStream(name: string): Promise<void> {
    await this.#ask(({ streams }) =>
      streams.add({
        name,
        subjects: [name],
        num_replicas: 3,
        storage: StorageType.File,
        retention: RetentionPolicy.Limits,
      }),
    );
  }

  async deleteStream(name: string): Promise<void> {
    await this.#ask(({ streams }) =>
      // An earlier try may have done it.
      streams.delete(name).catch((error: unknown) => {
        if (!(error instanceof JetStreamApiError) || error.code !== streamNotFound) throw error;
      }),
    );
  }

  async count(name: string): Promise<number> {
    return (await this.#ask(({ streams }) => streams.info(name))).state.messages;
  }

  /** The server that leads a stream. */
  async leader(name: string): Promise<PeerProcess> {
    return this.#ask(async ({ streams }) => {
      const { cluster } = await streams.info(name);
      const node = this.nodes[Number((cluster?.leader ?? '').slice(1)) - 1];
      if (node === undefined) throw new Error(`NATS names no leader of ${name}`);
      return node;
    });
  }

  async stop(): Promise<void> {
    await this.#connection.close().catch(() => undefined);
    await Promise.all(this.nodes.map((node) => node.signal('SIGKILL')));
  }

  /** The cluster answers once it has a leader of its own, which it may have lost: asked again. */
  async #ask<Answer>(question: (manager: JetStreamManager) => Promise<Answer>): Promise<Answer> {
    const deadline = Date.now() + answersWithinMs;
    for (;;) {
      try {
        return await question(await jetstreamManager(this.#connection));
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }
}
