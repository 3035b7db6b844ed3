/** Small damage to valid bytes: most of the input stays meaningful, so deep branches are reached. */
import type { FuzzRandom } from './random.ts';

/** Values at the edges of the integers that formats are made of. */
const edgeBytes = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff];
const edgeInts = [0, 1, -1, 2, 7, 48, 49, 255, 65_535, 2 ** 31 - 1, -(2 ** 31), 2 ** 30];

/** 2^32 - 1, 2^53 - 1, 2^53, -1, eleven bytes; tags of field 0, of a group and of wire type 7. */
const edgeVarints = [
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x02],
  [0x0b],
  [0x0b, 0x0c],
  [0x0f],
];

type Mutation = (input: Buffer, random: FuzzRandom) => Buffer;

const mutations: readonly Mutation[] = [
  flipBit,
  setEdgeByte,
  setEdgeInt,
  cut,
  drop,
  repeat,
  insert,
  widen,
  setEdgeVarint,
];

/** One to four mutations, one after the other. */
export function mutate(input: Buffer, random: FuzzRandom): Buffer {
  let mutated: Buffer = Buffer.from(input);
  for (let left = 1 + random.below(4); left > 0; left--) {
    const mutation = mutations[random.below(mutations.length)];
    if (mutation !== undefined && mutated.length > 0) mutated = mutation(mutated, random);
  }
  return mutated;
}

function flipBit(input: Buffer, random: FuzzRandom): Buffer {
  const at = random.below(input.length);
  input.writeUInt8(input.readUInt8(at) ^ (1 << random.below(8)), at);
  return input;
}

function setEdgeByte(input: Buffer, random: FuzzRandom): Buffer {
  const at = random.below(input.length);
  input.writeUInt8(edgeBytes[random.below(edgeBytes.length)] ?? 0, at);
  return input;
}

function setEdgeInt(input: Buffer, random: FuzzRandom): Buffer {
  if (input.length < 4) return input;
  const at = random.below(input.length - 3);
  const value = edgeInts[random.below(edgeInts.length)] ?? 0;
  if (random.below(2) === 0) input.writeInt32BE(value, at);
  else input.writeInt32LE(value, at);
  return input;
}

function cut(input: Buffer, random: FuzzRandom): Buffer {
  return input.subarray(0, random.below(input.length));
}

function drop(input: Buffer, random: FuzzRandom): Buffer {
  const [from, to] = range(input, random);
  return Buffer.concat([input.subarray(0, from), input.subarray(to)]);
}

function repeat(input: Buffer, random: FuzzRandom): Buffer {
  const [from, to] = range(input, random);
  return Buffer.concat([input.subarray(0, to), input.subarray(from)]);
}

function insert(input: Buffer, random: FuzzRandom): Buffer {
  const at = random.below(input.length + 1);
  const added = Buffer.from(Array.from({ length: 1 + random.below(8) }, () => random.below(256)));
  return Buffer.concat([input.subarray(0, at), added, input.subarray(at)]);
}

/** If the byte was a varint, the same number in one byte more than it needs. */
function widen(input: Buffer, random: FuzzRandom): Buffer {
  const at = random.below(input.length);
  const widened = Buffer.from([input.readUInt8(at) | 0x80, 0]);
  return Buffer.concat([input.subarray(0, at), widened, input.subarray(at + 1)]);
}

/** A byte becomes a varint at the edge of what 32, 53 and 64 bits hold, or a tag that no field has. */
function setEdgeVarint(input: Buffer, random: FuzzRandom): Buffer {
  const at = random.below(input.length);
  const varint = edgeVarints[random.below(edgeVarints.length)] ?? [];
  return Buffer.concat([input.subarray(0, at), Buffer.from(varint), input.subarray(at + 1)]);
}

/** A range of at most 64 bytes, not empty. */
function range(input: Buffer, random: FuzzRandom): [number, number] {
  const from = random.below(input.length);
  return [from, from + 1 + random.below(Math.min(64, input.length - from))];
}
