/**
 * One message becomes an interface and a codec of the same name. 64-bit integers are exact or refused,
 * a `oneof` is a discriminated union, lists are bounded, and a last `bytes` field marked `@parts` is
 * framed without copying its buffers.
 */
import { type Field, MapField, type OneOf, type Type } from 'protobufjs';
import { emitDecode } from './emit-decode.ts';
import { emitEncode } from './emit-encode.ts';
import { elementType, isOptional, mayMiss, scalar } from './field-shape.ts';
import { camelCase, notesOf } from './naming.ts';

/** A message's fields, told apart by how they are written. */
export interface MessageLayout {
  readonly name: string;
  readonly plain: readonly Field[];
  readonly unions: readonly OneOf[];
  /** The field whose buffers are framed as they are; always the last. */
  readonly parts: Field | undefined;
}

/** The TypeScript text of a message: its interface and its codec. */
export function emitMessage(type: Type, name: string): string {
  const fields = type.fieldsArray.toSorted((a, b) => a.id - b.id);
  const unions = realOneofs(type);
  const plain = fields.filter(
    (field) => !unions.some((union) => union.fieldsArray.includes(field)),
  );
  const parts = fields.find((field) => notesOf(field).isParts);
  if (parts !== undefined && parts !== fields.at(-1)) {
    throw new Error(`${parts.fullName}: a field marked @parts must have the highest number`);
  }
  return [
    doc(type.comment ?? undefined, ''),
    `export interface ${name} {`,
    ...plain.flatMap((field) => [doc(notesOf(field).prose, '  '), `  ${declaration(field)};`]),
    ...unions.flatMap((union) => [
      doc(union.comment ?? undefined, '  '),
      `  readonly ${camelCase(union.name)}: ${unionType(union)} | undefined;`,
    ]),
    '}',
    '',
    `export const ${name} = {`,
    emitEncode({ name, plain, unions, parts }),
    emitDecode({ name, plain, unions, parts }),
    '};',
    '',
  ]
    .filter((line) => line !== undefined)
    .join('\n');
}

/** `oneof`s that the schema declares, without those protobufjs makes up for `optional`. */
function realOneofs(type: Type): OneOf[] {
  return type.oneofsArray.filter((union) => !union.fieldsArray.every((field) => isOptional(field)));
}

function doc(text: string | undefined, indent: string): string | undefined {
  return text === undefined
    ? undefined
    : `${indent}/** ${text.replaceAll('\n', `\n${indent} * `)} */`;
}

function declaration(field: Field): string {
  const name = camelCase(field.name);
  if (field instanceof MapField)
    return `readonly ${name}: ReadonlyMap<${scalar(field.keyType)}, ${elementType(field)}>`;
  if (field.repeated) return `readonly ${name}: readonly ${elementType(field)}[]`;
  const notes = notesOf(field);
  if (notes.isParts) return `readonly ${name}: readonly Uint8Array[]`;
  return mayMiss(field)
    ? `readonly ${name}?: ${elementType(field)} | undefined`
    : `readonly ${name}: ${elementType(field)}`;
}

function unionType(union: OneOf): string {
  return union.fieldsArray
    .map(
      (field) =>
        `{ readonly kind: '${camelCase(field.name)}'; readonly value: ${elementType(field)} }`,
    )
    .join(' | ');
}
