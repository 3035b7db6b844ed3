/**
 * `grpc.reflection.v1` and `v1alpha`: lets grpcurl and its like call a server without its .proto files.
 *
 * | message | fields used |
 * |---|---|
 * | ServerReflectionRequest | 1 host, 3 file by name, 4 file containing symbol, 7 list services |
 * | ServerReflectionResponse | 1 host, 2 the request, 4 files, 6 services, 7 error |
 */
import protobuf from 'protobufjs/minimal.js';
import type { StreamMethod } from '../../ports/rpc.ts';
import type { HandlerTable } from '../handler-table.ts';
import { DescriptorIndex, type SchemaFiles } from './descriptor-index.ts';

const { Reader, Writer } = protobuf;

type Question =
  | { readonly kind: 'file'; readonly name: string }
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'services' }
  | { readonly kind: 'unsupported' };

interface ReflectionRequest {
  /** As it came, since the answer repeats it. */
  readonly bytes: Buffer;
  readonly host: string;
  readonly question: Question;
}

interface ReflectionResponse {
  readonly request: ReflectionRequest;
  readonly answer:
    | { readonly kind: 'files'; readonly files: readonly Buffer[] }
    | { readonly kind: 'services'; readonly names: readonly string[] }
    | { readonly kind: 'error'; readonly code: number; readonly message: string };
}

const notFound = 5;
const unimplemented = 12;

/** Registers both versions of the service. The schema is read at the first question. */
export function addReflection(handlers: HandlerTable, schema: SchemaFiles): void {
  let index: DescriptorIndex | undefined;
  for (const version of ['v1', 'v1alpha']) {
    handlers.stream(reflectionMethod(version), (stream) => ({
      onMessage: (request) => {
        index ??= new DescriptorIndex(schema);
        stream.send({ request, answer: answer(request.question, index, handlers) });
      },
      onClose() {},
    }));
  }
}

function answer(
  question: Question,
  index: DescriptorIndex,
  handlers: HandlerTable,
): ReflectionResponse['answer'] {
  switch (question.kind) {
    case 'services':
      return { kind: 'services', names: handlers.services().sort() };
    case 'file':
    case 'symbol': {
      const { kind, name } = question;
      const file = kind === 'file' ? index.fileNamed(name) : index.fileOf(name);
      if (file !== undefined) return { kind: 'files', files: [file] };
      return { kind: 'error', code: notFound, message: `${kind} not found: ${name}` };
    }
    case 'unsupported':
      return { kind: 'error', code: unimplemented, message: 'proto3 has no extensions' };
  }
}

function reflectionMethod(version: string): StreamMethod<ReflectionRequest, ReflectionResponse> {
  return {
    kind: 'stream',
    path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    request: { encode: (request) => [request.bytes], decode: decodeRequest },
    response: {
      encode: (response) => [encodeResponse(response)],
      decode: () => {
        throw new TypeError('only foreign clients read the answers of reflection');
      },
    },
  };
}

function decodeRequest(bytes: Buffer): ReflectionRequest {
  const reader = Reader.create(bytes);
  let host = '';
  let question: Question = { kind: 'unsupported' };
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 10) host = reader.string();
    else if (tag === 26) question = { kind: 'file', name: reader.string() };
    else if (tag === 34) question = { kind: 'symbol', name: reader.string() };
    else if (tag === 58) {
      question = { kind: 'services' };
      reader.skipType(2);
    } else reader.skipType(tag & 7);
  }
  return { bytes, host, question };
}

function encodeResponse({ request, answer }: ReflectionResponse): Uint8Array {
  const writer = Writer.create().uint32(10).string(request.host).uint32(18).bytes(request.bytes);
  switch (answer.kind) {
    case 'files':
      writer.uint32(34).fork();
      for (const file of answer.files) writer.uint32(10).bytes(file);
      break;
    case 'services':
      writer.uint32(50).fork();
      for (const name of answer.names) writer.uint32(10).fork().uint32(10).string(name).ldelim();
      break;
    case 'error':
      writer.uint32(58).fork().uint32(8).int32(answer.code).uint32(18).string(answer.message);
      break;
  }
  return writer.ldelim().finish();
}
