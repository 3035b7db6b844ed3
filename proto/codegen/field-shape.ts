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
