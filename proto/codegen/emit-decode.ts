/** The decoding half of a codec: bounded, exact, and refusing what its brands refuse. */
import { Enum, type Field, MapField, Type } from 'protobufjs';
import type { MessageLayout } from './emit-message.ts';
import { elementType, isPackable, mayMiss, scalar } from './field-shape.ts';
import { camelCase, notesOf } from './naming.ts';

const wide = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64']);

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
          `        case ${field.id}: ${camelCase(union.name)}_ = { kind: '${camelCase(field.name)}', value: ${readValue(field)} }; break;`,
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
    '      const tag = reader.uint32();',
    '      switch (tag >>> 3) {',
    ...cases,
    '        default: reader.skipType(tag & 7);',
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
  if (field instanceof MapField) {
    return `        case ${field.id}: { ${check(`${at}.size`)}; const stop = reader.uint32() + reader.pos; let key: ${scalar(field.keyType)} = ${field.keyType === 'string' ? `''` : '0'}; let value: ${elementType(field)} | undefined; while (reader.pos < stop) { const inner = reader.uint32(); if (inner >>> 3 === 1) key = reader.${field.keyType}(); else if (inner >>> 3 === 2) value = ${readValue(field)}; else reader.skipType(inner & 7); } ${at}.set(key, value ?? ${field.resolvedType === null ? initialScalar(field) : `${field.resolvedType.name}.read(reader, reader.pos)`}); break; }`;
  }
  if (field.repeated) {
    const push = `${check(`${at}.length`)}; ${at}.push(${readValue(field)});`;
    if (!isPackable(field)) return `        case ${field.id}: ${push} break;`;
    return `        case ${field.id}: if ((tag & 7) === 2) { const stop = reader.uint32() + reader.pos; while (reader.pos < stop) { ${push} } } else { ${push} } break;`;
  }
  if (notesOf(field).isParts) return `        case ${field.id}: ${at} = [reader.bytes()]; break;`;
  return `        case ${field.id}: ${at} = ${readValue(field)}; break;`;
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
  if (wide.has(field.type)) read = `exact(${read}, '${field.name}')`;
  if (field.type === 'bytes') read = `asBuffer(${read})`;
  const brand = notesOf(field).brand;
  return brand === undefined ? read : `branded(make${brand}, ${read}, '${field.name}')`;
}
