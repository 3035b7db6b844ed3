/**
 * Every bound of the system, each with its reason. A queue without a bound here does not exist;
 * what happens when a bound is reached is said beside it.
 */
const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** Largest record batch a topic may allow; below gRPC's message limit with room for the header. */
  batchBytesMax: 8 * MiB,
  /** A message to a client that allows no more: below 4 MiB, the default limit of foreign gRPC clients. */
  clientMessageBytesMax: 4 * MiB - 64 * KiB,
  /** Largest gRPC message a server takes; a larger one is MESSAGE_TOO_LARGE before it is buffered. */
  rpcMessageBytesMax: 16 * MiB,
  /** Messages are coalesced up to this size: larger ones gain nothing, smaller ones cost per message. */
  rpcMessageBytesTarget: 512 * KiB,
  /** HTTP/2 windows. Above about 3 MiB in both directions of one connection Node's http2 dead-locks. */
  rpcWindowBytes: 1 * MiB,
  /** Concurrent streams on one gRPC connection; more are refused by HTTP/2 itself. */
  rpcStreamsPerConnectionMax: 256,
  /** gRPC connections of one server; more are closed at once. */
  rpcConnectionsMax: 4096,
  /** Unsent bytes of one gRPC stream before `send` says to wait. */
  rpcStreamBufferBytesMax: 4 * MiB,
  /** Server-enforced deadline of a unary call that asked for none or for more. */
  rpcUnaryDeadlineMsMax: 120_000,
  /** How long a server may take to accept a stream before its caller gives up. */
  rpcOpenMsMax: 10_000,
  /** gRPC connections of one remote address; more are closed at once. */
  rpcConnectionsPerAddressMax: 1024,
  /** A TLS handshake that takes longer is ended: it holds one of the connections. */
  rpcHandshakeMsMax: 10_000,
  /** Silence on a gRPC connection after which it is probed, and how long the answer may take. */
  rpcKeepaliveMs: 10_000,
  rpcKeepaliveTimeoutMs: 5_000,
  /** A gRPC connection without a call is closed after so long. */
  rpcConnectionIdleMsMax: 600_000,
  /** Bytes of messages that a gRPC server has received in part or not yet handed over, all calls together. */
  rpcReceiveBytesMax: 128 * MiB,
  /** Payload of one frame between nodes: a batch of the largest size and its neighbours. */
  linkFrameBytesMax: 16 * MiB,
  /** Header of one frame between nodes. */
  linkHeaderBytesMax: 1 * MiB,
  /** Credit of one logical stream of a link: bytes in flight not yet consumed by the receiver. */
  linkStreamCreditBytes: 16 * MiB,
  /** Unsent bytes of one link over all streams; beyond it the link is closed as stuck. */
  linkBufferBytesMax: 64 * MiB,
  /** Logical streams on one link; more are refused by closing the link. */
  linkStreamsMax: 64,
  /** Calls that wait for an answer on one stream of a link, at each side; more are OVERLOADED. */
  linkRequestsMax: 1024,
  /** Connections that one node accepts on its peer port; more are closed at once. */
  linkConnectionsMax: 1024,
  /** A connection that has not said hello by then is closed: port scanners and HTTP clients. */
  linkHelloMsMax: 5_000,
  /** Elements of one repeated field in a message from outside; more is INVALID_REQUEST. */
  repeatedElementsMax: 20_000,
  /** Messages inside one message from outside, at all depths; more is INVALID_REQUEST. */
  nestedMessagesMax: 400_000,
  /** Ids chosen by clients: group, member, client and request ids. */
  clientIdBytesMax: 255,
  /** Topic names, as Kafka's. */
  topicNameBytesMax: 249,
  /** Replicas of a partition, while a reassignment runs the old and the new ones together. */
  replicationFactorMax: 32,
  /** Partitions of one topic. */
  topicPartitionsMax: 100_000,
  /** Partitions that one change may create: it is one entry of the quorum log. */
  changePartitionsMax: 10_000,
  /** Applied changes whose answers are remembered for a retry; the oldest is forgotten first. */
  requestsRememberedMax: 10_000,
  /** Answer kept for one applied change. */
  requestAnswerBytesMax: 1024,
  /** Committed changes kept in memory for metadata streams; a subscriber further behind gets a snapshot. */
  metadataHistoryBytesMax: 16 * MiB,
  /** Events kept by the flight recorder; the oldest is dropped first. */
  journalBytesMax: 8 * MiB,
  /** Changes and reads of one controller that wait for the quorum; beyond it they are OVERLOADED. */
  quorumPendingBytesMax: 16 * MiB,
  /** Records are decompressed to at most this many bytes per batch. */
  decompressedBytesMax: 64 * MiB,
  /** And to at most this many times their compressed size. */
  decompressionRatioMax: 1024,
  /** Batches of one producer in flight on one partition, as Kafka's (rule B6.5). */
  producerInFlightMax: 5,
  /** Batches remembered per producer and partition to answer duplicates (rule B6.2). */
  producerBatchesRemembered: 5,
  /** How far ahead of the wall clock a record's timestamp may be. */
  timestampAheadMsMax: 3_600_000,
} as const;
