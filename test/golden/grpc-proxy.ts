/** A proxy that speaks HTTP/2 on both sides and keeps what the calls carry, as it was on the wire. */
import {
  type ClientHttp2Stream,
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';

/** One call: the framed messages of both sides, and how it ended. */
export interface GrpcCall {
  readonly path: string;
  readonly there: Buffer[];
  readonly back: Buffer[];
  /** Of the end: `grpc-status` and what goes with it; empty for a call that was cut. */
  trailers: Readonly<Record<string, string>>;
}

/** Passes every call on to the target and adds it to the list. */
export async function grpcProxy(
  listen: number,
  target: number,
  calls: GrpcCall[],
): Promise<Http2Server> {
  const server = createServer();
  server.on('session', (session) => {
    const onward = connect(`http://127.0.0.1:${target}`);
    onward.on('error', () => session.destroy()).on('close', () => session.destroy());
    session.on('error', () => onward.destroy()).on('close', () => onward.destroy());
    session.on('stream', (from: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const call: GrpcCall = {
        path: headers[':path'] ?? '',
        there: [],
        back: [],
        trailers: {},
      };
      calls.push(call);
      from.on('error', () => undefined);
      if (onward.closed || onward.destroyed) return from.close();
      pass(from, onward.request(headers, { endStream: false }), call);
    });
  });
  await new Promise<void>((resolve) => server.listen(listen, '127.0.0.1', resolve));
  return server;
}

function pass(from: ServerHttp2Stream, to: ClientHttp2Stream, call: GrpcCall): void {
  from.on('data', (chunk: Buffer) => call.there.push(chunk));
  to.on('data', (chunk: Buffer) => call.back.push(chunk));
  from.pipe(to);
  let trailers: IncomingHttpHeaders = {};
  to.on('response', (headers, flags) => {
    const isEnd = (flags & endOfStream) !== 0;
    if (isEnd) call.trailers = statusOf(headers);
    from.respond(headers, { waitForTrailers: !isEnd, endStream: isEnd });
    if (!isEnd) to.pipe(from);
  });
  to.on('trailers', (headers: IncomingHttpHeaders) => {
    trailers = headers;
    call.trailers = statusOf(headers);
  });
  from.on('wantTrailers', () => from.sendTrailers(trailers));
  to.on('error', () => undefined).on('close', () => {
    if (to.rstCode !== 0 && !from.closed) from.close(to.rstCode);
  });
  from.on('close', () => {
    if (!to.closed) to.close(from.rstCode);
  });
}

/** The flag of HTTP/2 that ends a side of a stream. */
const endOfStream = 1;

function statusOf(headers: IncomingHttpHeaders): Record<string, string> {
  const status: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith('grpc-')) status[name] = String(value);
  return status;
}
