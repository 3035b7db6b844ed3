/**
 * The public schema in the encoded form that reflection hands out, found by file and by symbol.
 */
import { loadSync } from '@grpc/proto-loader';
import protobuf from 'protobufjs/minimal.js';

const { Reader } = protobuf;

/** Where the .proto files of the public contract are. */
export interface SchemaFiles {
  readonly directory: string;
  /** Relative to the directory: `highwater/v1/produce.proto`. */
  readonly files: readonly string[];
}

/** An encoded google.protobuf.FileDescriptorProto and the names that it declares. */
interface DescribedFile {
  readonly bytes: Buffer;
  readonly name: string;
  readonly services: readonly string[];
  readonly symbols: readonly string[];
}

/** The files of a schema by name and by symbol. */
export class DescriptorIndex {
  readonly #files: readonly DescribedFile[];

  constructor(schema: SchemaFiles) {
    const definitions = loadSync([...schema.files], {
      includeDirs: [schema.directory],
      keepCase: true,
    });
    const described = Object.values(definitions).find((one) => 'fileDescriptorProtos' in one);
    const encoded = described === undefined ? [] : (described.fileDescriptorProtos as Buffer[]);
    this.#files = encoded.map((bytes) => describe(bytes));
  }

  get services(): string[] {
    return this.#files.flatMap((file) => file.services);
  }

  fileNamed(name: string): Buffer | undefined {
    return this.#files.find((file) => file.name === name)?.bytes;
  }

  /** The symbol may be a service, a method, a message or an enumeration, fully qualified. */
  fileOf(symbol: string): Buffer | undefined {
    return this.#files.find((file) => file.symbols.includes(symbol))?.bytes;
  }
}

/** Field numbers of descriptor.proto. */
const inFile = { name: 1, package: 2, message: 4, enumeration: 5, service: 6 } as const;
const inMessage = { name: 1, message: 3, enumeration: 4 } as const;
const inService = { name: 1, method: 2 } as const;

function describe(bytes: Buffer): DescribedFile {
  const fields = readFields(bytes);
  const scope = textOf(fields, inFile.package);
  const services = fieldsOf(fields, inFile.service).map((service) => ({
    name: qualified(scope, textOf(service, inService.name)),
    methods: fieldsOf(service, inService.method).map((method) => textOf(method, inService.name)),
  }));
  return {
    bytes,
    name: textOf(fields, inFile.name),
    services: services.map((service) => service.name),
    symbols: [
      ...services.flatMap(({ name, methods }) => [name, ...methods.map((m) => `${name}.${m}`)]),
      ...fieldsOf(fields, inFile.enumeration).map((one) => qualified(scope, textOf(one, 1))),
      ...fieldsOf(fields, inFile.message).flatMap((one) => messageSymbols(scope, one)),
    ],
  };
}

function messageSymbols(scope: string, message: Fields): string[] {
  const name = qualified(scope, textOf(message, inMessage.name));
  return [
    name,
    ...fieldsOf(message, inMessage.enumeration).map((one) => qualified(name, textOf(one, 1))),
    ...fieldsOf(message, inMessage.message).flatMap((one) => messageSymbols(name, one)),
  ];
}

/** Length-delimited fields by number; all that the index needs is of that kind. */
type Fields = ReadonlyMap<number, readonly Buffer[]>;

function readFields(bytes: Uint8Array): Fields {
  const fields = new Map<number, Buffer[]>();
  const reader = Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if ((tag & 7) !== 2) {
      reader.skipType(tag & 7);
      continue;
    }
    const value = Buffer.from(reader.bytes());
    const values = fields.get(tag >>> 3);
    if (values === undefined) fields.set(tag >>> 3, [value]);
    else values.push(value);
  }
  return fields;
}

function fieldsOf(fields: Fields, number: number): Fields[] {
  return (fields.get(number) ?? []).map((bytes) => readFields(bytes));
}

function textOf(fields: Fields, number: number): string {
  return fields.get(number)?.[0]?.toString('utf8') ?? '';
}

function qualified(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`;
}
