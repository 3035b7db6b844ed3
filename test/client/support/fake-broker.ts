import { adminService } from '../../../proto/generated/highwater/v1/admin.ts';
import { type FetchResponse, fetchService } from '../../../proto/generated/highwater/v1/fetch.ts';
import {
  type MetadataUpdate,
  metadataService,
} from '../../../proto/generated/highwater/v1/metadata.ts';
import {
  type PartitionOutcome,
  type ProduceRequest,
  type ProduceResponse,
  produceService,
} from '../../../proto/generated/highwater/v1/produce.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { type NodeId, nodeId, producerId } from '../../../proto/model/ids.ts';
import {
  leaderEpoch,
  type Offset,
  offset,
  producerEpoch,
  revision,
} from '../../../proto/model/offset.ts';
import type { Clock } from '../../../proto/ports/clock.ts';
import type { RpcServer, RpcStream } from '../../../proto/ports/rpc.ts';
import type { MemoryRpcHost } from '../../../proto/rpc/memory/memory-rpc-network.ts';
import type { FakeCluster, FakeTopic } from './fake-cluster.ts';
import { coordinateGroups } from './fake-coordinator.ts';
import { failureOf } from './fake-failure.ts';
import { FakeFetchStream } from './fake-fetch-stream.ts';
import type { FakePartition } from './fake-partition.ts';

/** One broker: the public services over the cluster's shared logs. */
export class FakeBroker {
  readonly id: NodeId;
  readonly clock: Clock;
  /** Produce messages taken, and records in the largest of their partitions. */
  requests = 0;
  /** Calls of ListOffsets. */
  offsetCalls = 0;
  readonly #cluster: FakeCluster;
  readonly #server: RpcServer;
  readonly #watching = new Set<RpcStream<MetadataUpdate>>();
  readonly #fetching = new Set<RpcStream<FetchResponse>>();

  constructor(
    cluster: FakeCluster,
    id: NodeId,
    machine: { readonly clock: Clock; readonly host: MemoryRpcHost },
  ) {
    this.#cluster = cluster;
    this.id = id;
    this.clock = machine.clock;
    this.#server = machine.host.createServer();
    this.#registerMetadata();
    this.#registerProduce();
    this.#registerFetch();
    coordinateGroups(this.#server, cluster);
    void this.#server.listen(`b${id}`, 9092);
  }

  /** The metadata has changed: everybody who watches here is told. */
  tell(): void {
    for (const stream of this.#watching) stream.send(this.#cluster.metadata(true));
  }

  /** Says that it has lost touch with the controllers. */
  tellStale(): void {
    for (const stream of this.#watching)
      stream.send({ ...this.#cluster.metadata(true), stale: true });
  }

  /** Ends every fetch stream with this error. */
  endFetches(error: HighwaterError): void {
    for (const stream of this.#fetching) stream.cancel(error);
    this.#fetching.clear();
  }

  get watcherCount(): number {
    return this.#watching.size;
  }

  find(name: { topicId: string; topic: string; partition: number }): {
    topic: FakeTopic;
    partition: FakePartition;
  } {
    const topic = [...this.#cluster.topics.values()].find(
      (one) => one.topicId === name.topicId || one.name === name.topic,
    );
    if (topic === undefined) throw new HighwaterError('UNKNOWN_TOPIC', 'no such topic');
    const partition = topic.partitions[name.partition];
    if (partition === undefined) throw new HighwaterError('UNKNOWN_PARTITION', 'no such partition');
    return { topic, partition };
  }

  #registerMetadata(): void {
    const cluster = this.#cluster;
    this.#server.unary(metadataService.getMetadata, async () => cluster.metadata(true));
    this.#server.stream(metadataService.watchMetadata, (stream) => ({
      onMessage: () => {
        this.#watching.add(stream);
        stream.send(cluster.metadata(true));
      },
      onClose: () => {
        this.#watching.delete(stream);
        stream.end();
      },
    }));
    this.#server.unary(adminService.createTopic, async (request) => {
      const topic = cluster.createTopic(request.name, request.partitions);
      return { topicId: topic.topicId, revision: revision(cluster.revision) };
    });
  }

  #registerProduce(): void {
    const cluster = this.#cluster;
    this.#server.unary(produceService.initProducer, async () => {
      if (!cluster.givesProducerIds)
        throw new HighwaterError('UNSUPPORTED_VERSION', 'no producer ids here');
      return { producerId: producerId(cluster.nextProducer++), producerEpoch: producerEpoch(0) };
    });
    this.#server.unary(produceService.awaitStored, async (request) => {
      const { partition } = this.find(request);
      if (partition.leader !== this.id) throw new HighwaterError('NOT_LEADER', 'not here');
      if (partition.epoch !== request.leaderEpoch)
        throw new HighwaterError('LEADERSHIP_LOST', 'another epoch');
      const wanted = request.replicas > 0 ? request.replicas : request.acks === 'all' ? 3 : 2;
      const isReached = (): boolean => partition.replicasStored >= wanted;
      if (!isReached())
        await new Promise<void>((resolve) => this.clock.after(request.timeoutMs, resolve));
      const storedBy = [1, 2, 3].slice(0, partition.replicasStored).map(nodeId);
      return { reached: isReached(), storedBy, isrSize: 3 };
    });
    this.#server.stream(produceService.produceStream, (stream) => ({
      onMessage: (request) => this.#produce(request, stream),
      onClose: () => stream.end(),
    }));
  }

  #produce(request: ProduceRequest, stream: RpcStream<ProduceResponse>): void {
    this.requests++;
    const { requestId, acks } = request;
    const outcomes: PartitionOutcome[] = [];
    let missing = request.partitions.length;
    let at = 0;
    request.partitions.forEach((write, index) => {
      const bytes = Buffer.from(request.batches[0] ?? []).subarray(at, at + write.batchBytes);
      at += write.batchBytes;
      const { topicId, partition: number } = write;
      const decide = (outcome: PartitionOutcome['outcome']): void => {
        outcomes[index] = { topicId, partition: number, outcome };
        if (--missing > 0) return;
        const isFailed = outcomes.some((one) => one.outcome?.kind === 'failure');
        if (acks !== 'none' || isFailed) stream.send({ requestId, partitions: outcomes });
      };
      try {
        const { partition } = this.find(write);
        const refusal = partition.refusals.shift();
        if (refusal !== undefined) throw new HighwaterError(refusal, refusal);
        if (partition.leader !== this.id) throw new HighwaterError('NOT_LEADER', 'not here');
        const { base, last, again } = partition.append(bytes, write.expectedOffset);
        const epoch = partition.epoch;
        const acknowledge = (): void =>
          decide({
            kind: 'receipt',
            value: {
              baseOffset: base,
              lastOffset: last,
              leaderEpoch: epoch,
              storedBy: [this.id],
              isrSize: 3,
              degraded: false,
              duplicate: again,
            },
          });
        if (partition.isAckHeld) partition.heldAcks.push(acknowledge);
        else acknowledge();
      } catch (caught) {
        decide({ kind: 'failure', value: failureOf(caught) });
      }
    });
  }

  #registerFetch(): void {
    this.#server.stream(fetchService.fetchStream, (stream) => {
      this.#fetching.add(stream);
      return new FakeFetchStream(this, stream).handlers;
    });
    this.#server.unary(fetchService.listOffsets, async (request) => {
      this.offsetCalls++;
      const partitions = request.partitions.map((query) => {
        const { topicId, partition: number } = query;
        try {
          const { partition } = this.find(query);
          if (partition.leader !== this.id) throw new HighwaterError('NOT_LEADER', 'not here');
          const at = query.at?.kind === 'earliest' ? offset(0) : this.#at(partition, query.at);
          if (at === undefined) return { topicId, partition: number };
          const position = { offset: at, leaderEpoch: leaderEpoch(0) };
          return { topicId, partition: number, position };
        } catch (caught) {
          return { topicId, partition: number, failure: failureOf(caught) };
        }
      });
      return { partitions };
    });
  }

  #at(
    partition: FakePartition,
    at: { readonly kind: string; readonly value: unknown } | undefined,
  ): Offset | undefined {
    if (at?.kind !== 'timestamp') return partition.end;
    return partition.batches.find(({ header }) => header.maxTimestamp >= Number(at.value))?.header
      .baseOffset;
  }
}
