/** The encoding half of a codec: fields in order of their numbers, defaults left out. */
import { Enum, type Field, MapField, Type } from 'protobufjs';
import type { MessageLayout } from './emit-message.ts';
import { isOptional, isPackable, isWhole, wireType } from './field-shape.ts';
import { camelCase } from './naming.ts';

/** The `write` and `encode` members of a codec. */
export function emitEncode(layout: MessageLayout): string {
  const { name, plain, unions, parts } = layout;
  const lines = plain.filter((field) => field !== parts).map((field) => encodeField(field));
  for (const union of unions) {
    const at = `message.${camelCase(union.name)}`;
    for (const field of union.fieldsArray) {
      lines.push(
        `    if (${at}?.kind === '${camelCase(field.name)}') ${encodeValue(field, `${at}.value`)};`,
      );
    }
  }
  const body = [
    '  write(message: ' + name + ', writer: Writer): Writer {',
    ...lines,
    '    return writer;',
    '  },',
  ];
  if (parts === undefined) {
    body.push(
      `  encode(message: ${name}): readonly Uint8Array[] {`,
      `    return [${name}.write(message, Writer.create()).finish()];`,
      '  },',
    );
    return body.join('\n');
  }
  const at = `message.${camelCase(parts.name)}`;
  body.push(
    `  encode(message: ${name}): readonly Uint8Array[] {`,
    `    let bytes = 0;`,
    `    for (const part of ${at}) bytes += part.length;`,
    `    const writer = ${name}.write(message, Writer.create());`,
    `    if (bytes === 0) return [writer.finish()];`,
    `    return [writer.uint32(${((parts.id << 3) | 2) >>> 0}).uint32(bytes).finish(), ...${at}];`,
    '  },',
  );
  return body.join('\n');
}

function encodeField(field: Field): string {
  const at = `message.${camelCase(field.name)}`;
  if (field instanceof MapField) {
    const value = encodeValue({ ...shape(field), id: 2 }, 'value');
    return `    for (const [key, value] of ${at}) { writer.uint32(${tag(field.id, 2)}).fork(); writer.uint32(${tag(1, wireType(field.keyType))}).${field.keyType}(key); ${value}; writer.ldelim(); }`;
  }
  if (field.repeated) {
    if (isPackable(field)) {
      return `    if (${at}.length > 0) { writer.uint32(${tag(field.id, 2)}).fork(); for (const item of ${at}) ${encodeBare(field, 'item')}; writer.ldelim(); }`;
    }
    return `    for (const item of ${at}) ${encodeValue(shape(field), 'item')};`;
  }
  if (isOptional(field) || field.resolvedType instanceof Type)
    return `    if (${at} !== undefined) ${encodeValue(shape(field), at)};`;
  return `    if (${isSet(field, at)}) ${encodeValue(shape(field), at)};`;
}

/** Implicit presence: a proto3 scalar equal to its default is not written. */
function isSet(field: Field, at: string): string {
  if (field.resolvedType instanceof Enum) return `${at} !== 'unspecified'`;
  if (field.type === 'bool') return at;
  if (field.type === 'string' || field.type === 'bytes') return `${at}.length > 0`;
  return `${at} !== 0`;
}

interface FieldShape {
  readonly id: number;
  readonly type: string;
  readonly resolvedType: Field['resolvedType'];
}

const shape = (field: Field): FieldShape => ({
  id: field.id,
  type: field.type,
  resolvedType: field.resolvedType,
});
const tag = (id: number, wire: number): number => ((id << 3) | wire) >>> 0;

function encodeValue(field: FieldShape, value: string): string {
  if (field.resolvedType instanceof Type) {
    return `${field.resolvedType.name}.write(${value}, writer.uint32(${tag(field.id, 2)}).fork()).ldelim()`;
  }
  if (field.resolvedType instanceof Enum) {
    return `writer.uint32(${tag(field.id, 0)}).int32(${field.resolvedType.name}.toWire(${value}))`;
  }
  const head = `writer.uint32(${tag(field.id, wireType(field.type))})`;
  if (isWhole(field.type)) return `writeWhole(${head}, '${field.type}', ${value})`;
  return `${head}.${field.type}(${value})`;
}

function encodeBare(field: Field, value: string): string {
  if (field.resolvedType instanceof Enum)
    return `writer.int32(${field.resolvedType.name}.toWire(${value}))`;
  if (isWhole(field.type)) return `writeWhole(writer, '${field.type}', ${value})`;
  return `writer.${field.type}(${value})`;
}
