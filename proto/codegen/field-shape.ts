/** What a field is in TypeScript: shared by the declaration, the encoder and the decoder. */
import { Enum, type Field, Type } from 'protobufjs';
import { notesOf } from './naming.ts';

/** True for a field declared `optional`: its absence is told apart from its default. */
export function isOptional(field: Field): boolean {
  return field.options?.['proto3_optional'] === true;
}

/** True if a repeated field travels packed. */
export function isPackable(field: Field): boolean {
  return (
    field.resolvedType instanceof Enum ||
    (field.resolvedType === null && field.type !== 'string' && field.type !== 'bytes')
  );
}

/** The type of one element: a message, an enum, a brand or a scalar. */
export function elementType(field: Field): string {
  if (field.resolvedType !== null) return field.resolvedType.name;
  return notesOf(field).brand ?? scalar(field.type);
}

/** The TypeScript type of a proto scalar. */
export function scalar(type: string): string {
  if (type === 'string') return 'string';
  if (type === 'bool') return 'boolean';
  return type === 'bytes' ? 'Buffer' : 'number';
}

/** True if the field may be undefined: declared `optional`, or a message. */
export function mayMiss(field: Field): boolean {
  return isOptional(field) || field.resolvedType instanceof Type;
}

const wireTypes: Readonly<Record<string, number>> = {
  ...{ int32: 0, uint32: 0, sint32: 0, int64: 0, uint64: 0, sint64: 0, bool: 0 },
  ...{ fixed64: 1, sfixed64: 1, double: 1, fixed32: 5, sfixed32: 5, float: 5 },
};

/** How a value of this type is laid out: the low three bits of its tag. Messages are as bytes. */
export function wireType(type: string): number {
  return wireTypes[type] ?? 2;
}

/** True for a 64-bit varint without zigzag: a count, an offset, an epoch, a timestamp. */
export function isWhole(type: string): boolean {
  return type === 'int64' || type === 'uint64';
}
