/**
 * The decoding half of a codec: bounded, exact, and refusing what its brands refuse. Fields are told
 * by their whole tag: one that comes with another wire type than its own is skipped as unknown.
 */
import { Enum, type Field, MapField, Type } from 'protobufjs';
import type { MessageLayout } from './emit-message.ts';
import { elementType, isPackable, isWhole, mayMiss, scalar, wireType } from './field-shape.ts';
import { camelCase, notesOf } from './naming.ts';

const wide = new Set(['sint64', 'fixed64', 'sfixed64']);

/** The `read` and `decode` members of a codec. */
export function emitDecode(layout: MessageLayout): string {
  const { name, plain, unions } = layout;
  const variables = [
    ...plain.map(
      (field) => `    let ${camelCase(field.name)}_: ${variableType(field)} = ${initial(field)};`,
    ),
    ...unions.map(
      (union) => `    let ${camelCase(union.name)}_: ${name}['${camelCase(union.name)}'];`,
    ),
  ].map((line) =>
    line.replace(
      'let ',
      /: (Map<|[^=]*\[\] = \[\];)/.test(line) && !line.includes('readonly Uint8Array[]')
        ? 'const '
        : 'let ',
    ),
  );
  const cases = [
    ...plain.map((field) => decodeField(field)),
    ...unions.flatMap((union) =>
      union.fieldsArray.map(
        (field) =>
          `        case ${tagOf(field)}: ${camelCase(union.name)}_ = { kind: '${camelCase(field.name)}', value: ${readValue(field)} }; break;`,
      ),
    ),
  ];
  const results = [...plain.map((field) => field.name), ...unions.map((union) => union.name)].map(
    (field) => `${camelCase(field)}: ${camelCase(field)}_`,
  );
  return [
    `  read(reader: Reader, end: number): ${name} {`,
    ...variables,
    '    while (reader.pos < end) {',
    '      const tag = reader.tag();',
    '      switch (tag) {',
    ...cases,
    '        default: reader.skipType(tag & 7, 0, tag >>> 3);',
    '      }',
    '    }',
    '    arrived(reader, end);',
    `    return { ${results.join(', ')} };`,
    '  },',
    `  decode(bytes: Uint8Array): ${name} {`,
    `    return guarded('${name}', bytes, (reader) => ${name}.read(reader, reader.len));`,
    '  },',
  ].join('\n');
}

function variableType(field: Field): string {
  if (field instanceof MapField) return `Map<${scalar(field.keyType)}, ${elementType(field)}>`;
  if (field.repeated) return `${elementType(field)}[]`;
  if (notesOf(field).isParts) return 'readonly Uint8Array[]';
  return mayMiss(field) ? `${elementType(field)} | undefined` : elementType(field);
}

function initial(field: Field): string {
  if (field instanceof MapField) return 'new Map()';
  if (field.repeated || notesOf(field).isParts) return '[]';
  if (mayMiss(field)) return 'undefined';
  if (field.resolvedType instanceof Enum) return `'unspecified'`;
  if (field.type === 'bool') return 'false';
  if (field.type === 'string')
    return notesOf(field).brand === undefined ? `''` : `'' as ${elementType(field)}`;
  if (field.type === 'bytes') return 'noBytes';
  return notesOf(field).brand === undefined ? '0' : `0 as ${elementType(field)}`;
}

function decodeField(field: Field): string {
  const at = `${camelCase(field.name)}_`;
  const max = notesOf(field).max;
  const check = (count: string) =>
    `bounded(${count}, '${field.name}'${max === undefined ? '' : `, ${max}`})`;
  if (field instanceof MapField) return decodeMap(field, field.keyType, check(`${at}.size`));
  if (field.repeated) {
    const push = `${check(`${at}.length`)}; ${at}.push(${readValue(field)});`;
    if (!isPackable(field)) return `        case ${tagOf(field)}: ${push} break;`;
    return [
      `        case ${((field.id << 3) | 2) >>> 0}: { const stop = nested(reader); while (reader.pos < stop) { ${push} } arrived(reader, stop); break; }`,
      `        case ${tagOf(field)}: ${push} break;`,
    ].join('\n');
  }
  if (notesOf(field).isParts) return `        case ${tagOf(field)}: ${at} = parts(reader); break;`;
  return `        case ${tagOf(field)}: ${at} = ${readValue(field)}; break;`;
}

/** An entry is a message of a key, field 1, and a value, field 2; either may be left out. */
function decodeMap(field: Field, keyType: string, check: string): string {
  const at = `${camelCase(field.name)}_`;
  const none = keyType === 'string' ? `''` : '0';
  const absent =
    field.resolvedType === null
      ? initialScalar(field)
      : `${field.resolvedType.name}.read(reader, reader.pos)`;
  return [
    `        case ${tagOf(field)}: {`,
    `          ${check}; const stop = nested(reader); let key: ${scalar(keyType)} = ${none}; let value: ${elementType(field)} | undefined;`,
    '          while (reader.pos < stop) {',
    '            const inner = reader.tag();',
    `            if (inner === ${(1 << 3) | wireType(keyType)}) key = reader.${keyType}();`,
    `            else if (inner === ${(2 << 3) | valueWire(field)}) value = ${readValue(field)};`,
    '            else reader.skipType(inner & 7, 0, inner >>> 3);',
    '          }',
    `          arrived(reader, stop); ${at}.set(key, value ?? ${absent}); break;`,
    '        }',
  ].join('\n');
}

/** The tag of one value of the field; of a map, of one entry. */
function tagOf(field: Field): number {
  const wire = field instanceof MapField ? wireType('bytes') : valueWire(field);
  return ((field.id << 3) | wire) >>> 0;
}

function valueWire(field: Field): number {
  return field.resolvedType instanceof Enum ? 0 : wireType(field.type);
}

function initialScalar(field: Field): string {
  if (field.type === 'string') return `''`;
  if (field.type === 'bool') return 'false';
  return field.type === 'bytes' ? 'noBytes' : '0';
}

function readValue(field: Field): string {
  if (field.resolvedType instanceof Type)
    return `${field.resolvedType.name}.read(reader, nested(reader))`;
  if (field.resolvedType instanceof Enum)
    return `${field.resolvedType.name}.fromWire(reader.int32())`;
  let read = `reader.${field.type}()`;
  if (isWhole(field.type)) read = `whole(reader, '${field.type}', '${field.name}')`;
  if (wide.has(field.type)) read = `exact(${read}, '${field.name}')`;
  if (field.type === 'bytes') read = `asBuffer(${read})`;
  const brand = notesOf(field).brand;
  return brand === undefined ? read : `branded(make${brand}, ${read}, '${field.name}')`;
}
