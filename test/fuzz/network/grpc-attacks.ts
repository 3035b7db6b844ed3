/** Attacks on the port for clients: messages that are none, and HTTP/2 that is none. */
import { gzipSync } from 'node:zlib';
import { adminService } from '../../../proto/generated/highwater/v1/admin.ts';
import { fetchService } from '../../../proto/generated/highwater/v1/fetch.ts';
import { groupService } from '../../../proto/generated/highwater/v1/group.ts';
import { metadataService } from '../../../proto/generated/highwater/v1/metadata.ts';
import { produceService } from '../../../proto/generated/highwater/v1/produce.ts';
import { endOf, frame, RawClient } from '../../proto/rpc/grpc/raw-client.ts';
import { frameTypes, h2Frame, headerBlock } from '../../proto/rpc/grpc/raw-frames.ts';
import { mutate } from '../mutate.ts';
import type { FuzzRandom } from '../random.ts';
import { sampleMessage, typesOf } from '../targets/sample-messages.ts';
import { type Battlefield, oneOf, randomBytes, several, throwAt } from './attack.ts';

const services = [adminService, fetchService, groupService, metadataService, produceService];
const paths = services.flatMap((service) =>
  Object.values<{ readonly path: string }>(service).map(({ path }) => path),
);
const types = ['admin', 'fetch', 'group', 'metadata', 'produce'].flatMap((file) =>
  typesOf(`highwater/v1/${file}.proto`),
);
const waitMs = 300;
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Damaged messages of every type on every path, with lengths and flags that may lie. */
export async function messages({ grpcPort }: Battlefield, random: FuzzRandom): Promise<void> {
  const client = new RawClient(grpcPort);
  const calls = several(1 + random.below(20), () => {
    const path = oneOf(random, paths);
    const isZipped = random.below(8) === 0;
    const stream = client.open(path, isZipped ? { 'grpc-encoding': 'gzip' } : {});
    const ended = endOf(stream);
    for (const body of several(1 + random.below(4), () => bodyFor(path, isZipped, random)))
      stream.write(body);
    const way = random.below(8);
    if (way === 0) stream.close(8);
    else if (way > 1) stream.end();
    return ended;
  });
  await Promise.race([Promise.all(calls), new Promise((resolve) => setTimeout(resolve, waitMs))]);
  await client.close();
}

function bodyFor(path: string, isZipped: boolean, random: FuzzRandom): Buffer {
  const message = messageFor(path, random);
  if (random.below(6) === 0) return randomBytes(random, 200);
  const length = random.below(8) === 0 ? random.below(2 ** 32) : undefined;
  const payload = isZipped && random.below(2) === 0 ? gzipSync(message) : message;
  return frame(payload, isZipped ? 1 : random.below(16) === 0 ? random.below(256) : 0, length);
}

/** What changes the cluster gets garbage only: a well-formed order to give everything up is obeyed. */
function messageFor(path: string, random: FuzzRandom): Buffer {
  const isOrder = path.includes('AdminService') && !path.includes('/Describe');
  if (isOrder) return Buffer.concat([Buffer.of(0x07), randomBytes(random, 100)]);
  return mutate(sampleMessage(oneOf(random, types), random), random);
}

/** Frames of every type, flag and stream, in no order. */
export async function frames({ grpcPort }: Battlefield, random: FuzzRandom): Promise<void> {
  const settings = h2Frame({ type: frameTypes.settings }, Buffer.alloc(0));
  const begin = several(random.below(4), () =>
    h2Frame(
      { type: frameTypes.headers, flags: random.below(256), stream: 1 + 2 * random.below(4) },
      mutate(headerBlock(oneOf(random, paths)), random),
    ),
  );
  const more = several(random.below(200), () =>
    h2Frame(
      { type: random.below(11), flags: random.below(256), stream: random.below(9) },
      randomBytes(random, 60),
      random.below(30) === 0 ? random.below(2 ** 24) : undefined,
    ),
  );
  await throwAt(grpcPort, [preface, settings, ...begin, ...more]);
}

/** Calls that are opened and reset as fast as can be. */
export async function resets({ grpcPort }: Battlefield, random: FuzzRandom): Promise<void> {
  const client = new RawClient(grpcPort);
  for (let left = random.below(500); left > 0 && !client.session.destroyed; left--) {
    client.open(oneOf(random, paths)).close(8);
    if (left % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await client.close();
}

/** Bytes without any form. */
export async function noise(field: Battlefield, random: FuzzRandom): Promise<void> {
  const port = oneOf(random, [field.grpcPort, field.peerPort, field.httpPort]);
  const start = oneOf(random, [preface, Buffer.from([0x16, 3, 1, 2, 0]), Buffer.alloc(0)]);
  await throwAt(port, [
    mutate(start, random),
    ...several(random.below(5), () => randomBytes(random, 3_000)),
  ]);
}
