/** Random valid protobuf messages of any type of the schema, as protobufjs itself writes them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import type { FuzzRandom } from '../random.ts';

const schema = fileURLToPath(new URL('../../../proto/schema', import.meta.url));

/** Files of the schema, by their paths below it. */
export const schemaFiles: readonly string[] = readdirSync(schema, {
  recursive: true,
  encoding: 'utf8',
})
  .filter((name) => name.endsWith('.proto'))
  .toSorted();

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => join(schema, target);
root.loadSync([...schemaFiles], { keepCase: true });
root.resolveAll();

const numbers = [0, 1, 2, 127, 128, 300, 65_535, 2 ** 31 - 1, 2 ** 32 - 1];
const longs = [...numbers, 2 ** 40, 2 ** 53 - 2, 2 ** 53 - 1];
const texts = ['', 'a', 'orders', '\u00fc\u20ac', 'x'.repeat(40), '.'];
const uuid = '0b6f0c5e-1d2a-4f3b-8c4d-5e6f708192a3';
/** Deeper messages are left out. */
const depthMax = 5;

/** The bytes of a random message of the type, given by its full name. */
export function sampleMessage(name: string, random: FuzzRandom): Buffer {
  const type = root.lookupType(name);
  return Buffer.from(type.encode(type.fromObject(sampleObject(type, random, 0))).finish());
}

/** Types of a file, by full name. */
export function typesOf(file: string): readonly string[] {
  return typesIn(root)
    .filter((type) => type.filename?.endsWith(file))
    .map((type) => type.fullName);
}

function typesIn(space: protobuf.NamespaceBase): protobuf.Type[] {
  return space.nestedArray.flatMap((object) => {
    if (!(object instanceof protobuf.Namespace)) return [];
    return object instanceof protobuf.Type ? [object, ...typesIn(object)] : typesIn(object);
  });
}

function sampleObject(
  type: protobuf.Type,
  random: FuzzRandom,
  depth: number,
): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    if (random.below(4) === 0) continue;
    const isLeftOut = field.resolvedType instanceof protobuf.Type && depth >= depthMax;
    if (isLeftOut || isOtherOfUnion(field, object)) continue;
    const value = () => sampleValue(field, random, depth);
    if (field instanceof protobuf.MapField) object[field.name] = { a: value(), '': value() };
    else if (field.repeated) object[field.name] = Array.from({ length: random.below(4) }, value);
    else object[field.name] = value();
  }
  return object;
}

function isOtherOfUnion(field: protobuf.Field, object: Record<string, unknown>): boolean {
  return field.partOf?.fieldsArray.some((other) => object[other.name] !== undefined) ?? false;
}

function sampleValue(field: protobuf.Field, random: FuzzRandom, depth: number): unknown {
  const { resolvedType, type } = field;
  if (resolvedType instanceof protobuf.Type) return sampleObject(resolvedType, random, depth + 1);
  if (resolvedType instanceof protobuf.Enum)
    return pick(Object.values(resolvedType.values), random);
  if (type === 'string') return random.below(2) === 0 ? uuid : pick(texts, random);
  if (type === 'bytes') return Buffer.alloc(random.below(20), random.below(256));
  if (type === 'bool') return random.below(2) === 0;
  return pick(type.endsWith('64') ? longs : numbers, random);
}

function pick<Value>(values: readonly Value[], random: FuzzRandom): Value | undefined {
  return values[random.below(values.length)];
}
