import type { ChannelInterface } from '@grpc/grpc-js';
import type { RpcBytes } from '../../ports/rpc.ts';
import type { ClientTransport, ClientTransportListener, OutgoingCall } from '../call/transport.ts';
import type { RpcStatus } from '../status.ts';
import { type DirectStream, http2StreamOf, writeDirectly } from './direct-write.ts';
import { grpcStatusOf, metadataOf, receivedStatus } from './metadata.ts';
import { ropeSupport } from './rope-support.ts';
import { messageOf } from './write-batch.ts';

/** A call below the level of grpc-js's Node streams, which would read ahead by 16 messages. */
type GrpcCall = ReturnType<ChannelInterface['createCall']>;

/** The caller's end of one call over a grpc-js channel. */
export class GrpcClientTransport implements ClientTransport {
  readonly #call: GrpcCall;
  /** Known after the first batch, if at all. */
  #direct: DirectStream | undefined;
  #hasSent = false;

  constructor(channel: ChannelInterface, call: OutgoingCall, listener: ClientTransportListener) {
    const metadata = metadataOf(call.headers);
    const deadline =
      call.deadlineMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + call.deadlineMs;
    this.#call = channel.createCall(call.path, deadline, null, null, null);
    this.#call.start(metadata, {
      onReceiveMetadata: () => listener.onOpen(),
      onReceiveMessage: (message: Buffer) => listener.onMessage(message),
      onReceiveStatus: (status) => listener.onStatus(receivedStatus(status), this.#wasSent()),
    });
  }

  /** Read at each batch, and a batch is written in the same turn. */
  get canJoin(): boolean {
    return ropeSupport.isProven;
  }

  write(batch: readonly RpcBytes[], done: () => void): void {
    if (this.#direct !== undefined) {
      writeDirectly(this.#direct, batch, done);
      return;
    }
    const sent = () => {
      // Nothing is behind the first batch inside the library, so the order is kept.
      if (!this.#hasSent) this.#direct = http2StreamOf(this.#call);
      this.#hasSent = true;
      done();
    };
    this.#call.sendMessageWithContext({ callback: sent }, messageOf(batch));
  }

  read(): void {
    this.#call.startRead();
  }

  halfClose(): void {
    this.#call.halfClose();
  }

  cancel(status: RpcStatus): void {
    this.#call.cancelWithStatus(grpcStatusOf(status.code), status.message);
  }

  /**
   * The call has a context of its connection from the moment it became an HTTP/2 stream. It relies on
   * the channel's retry buffer being off: a buffered message would not bind the call to a connection.
   */
  #wasSent(): boolean {
    return this.#call.getAuthContext() !== null;
  }
}
