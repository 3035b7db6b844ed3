import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';

/** How a raw call ended: what a foreign or hostile client sees. */
export interface RawEnd {
  readonly httpStatus: number | undefined;
  readonly grpcStatus: string | undefined;
  readonly rstCode: number | undefined;
  readonly bytes: Buffer;
}

/** An HTTP/2 client without any notion of gRPC, for input that grpc-js would never send. */
export class RawClient {
  readonly session: ClientHttp2Session;

  constructor(port: number) {
    this.session = connect(`http://127.0.0.1:${port}`);
    this.session.on('error', () => {});
  }

  open(path: string, headers: Record<string, string> = {}): ClientHttp2Stream {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    stream.on('error', () => {});
    return stream;
  }

  /** Sends bytes as the body of a call and waits for its end. */
  call(path: string, body: Buffer, headers: Record<string, string> = {}): Promise<RawEnd> {
    const stream = this.open(path, headers);
    const ended = endOf(stream);
    stream.end(body);
    return ended;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.session.closed || this.session.destroyed) resolve();
      else this.session.once('close', () => resolve());
      this.session.destroy(undefined, constants.NGHTTP2_NO_ERROR);
    });
  }
}

/** Resolves when a stream is over, however it ends. */
export function endOf(stream: ClientHttp2Stream): Promise<RawEnd> {
  return new Promise((resolve) => {
    let httpStatus: number | undefined;
    let grpcStatus: string | undefined;
    const chunks: Buffer[] = [];
    const read = (headers: Record<string, unknown>) => {
      if (typeof headers['grpc-status'] === 'string') grpcStatus = headers['grpc-status'];
    };
    stream.on('response', (headers) => {
      httpStatus = headers[':status'];
      read(headers);
    });
    stream.on('trailers', read);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('close', () =>
      resolve({ httpStatus, grpcStatus, rstCode: stream.rstCode, bytes: Buffer.concat(chunks) }),
    );
  });
}

/** A gRPC frame with whatever flag and length one likes. */
export function frame(payload: Buffer, flag = 0, length = payload.length): Buffer {
  const header = Buffer.alloc(5);
  header[0] = flag;
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, payload]);
}
