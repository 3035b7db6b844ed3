/** Attacks on the port for nodes: hellos of strangers, and frames that no node sends. */
import { encodeFrameHead, encodeOpen, frameType } from '../../../proto/link/frame.ts';
import { encodeHello } from '../../../proto/link/hello.ts';
import { encodeEnvelope, envelopeKind } from '../../../proto/link/request-envelope.ts';
import { clusterId, incarnationId, nodeId, storageId } from '../../../proto/model/ids.ts';
import { linkStreamKinds } from '../../../proto/ports/link.ts';
import { mutate } from '../mutate.ts';
import type { FuzzRandom } from '../random.ts';
import { sampleMessage, schemaFiles, typesOf } from '../targets/sample-messages.ts';
import { type Battlefield, oneOf, randomBytes, several, throwAt } from './attack.ts';

const types = schemaFiles.filter((file) => file.includes('peer')).flatMap(typesOf);
const otherCluster = clusterId('ffffffff-0000-4000-8000-000000000001');

/** Of another cluster, for another node, of no version, cut, damaged, twice. */
export async function hellos(field: Battlefield, random: FuzzRandom): Promise<void> {
  const isOther = random.below(2) === 0;
  const hello = helloOf({ ...field, ...(isOther ? { clusterId: otherCluster } : {}) }, random);
  await throwAt(field.peerPort, [
    random.below(4) === 0 ? hello : mutate(hello, random),
    ...several(random.below(3), () => hello),
  ]);
}

/** A stranger who knows the cluster's id: streams of every kind, damaged frames and messages on them. */
export async function frames(field: Battlefield, random: FuzzRandom): Promise<void> {
  const streams = 1 + random.below(6);
  const opens = several(streams, () => oneOf(random, linkStreamKinds)).map((kind, index) =>
    encodeOpen(index + 1, kind),
  );
  const more = several(random.below(60), () => {
    const stream = 1 + random.below(streams);
    const bytes = dataFrame(stream, random);
    return random.below(12) === 0 ? mutate(bytes, random) : bytes;
  });
  await throwAt(field.peerPort, [helloOf(field, random), ...opens, ...more]);
}

function dataFrame(stream: number, random: FuzzRandom): Buffer {
  const message = mutate(sampleMessage(oneOf(random, types), random), random);
  const kinds = Object.values(envelopeKind);
  const envelope = {
    kind: oneOf(random, kinds),
    method: random.below(40),
    callId: random.below(100),
    deadlineMs: random.below(10_000),
  };
  const header = random.below(2) === 0 ? encodeEnvelope(envelope, message) : message;
  const payload = random.below(3) === 0 ? randomBytes(random, 500) : Buffer.alloc(0);
  const head = encodeFrameHead(frameType.data, stream, header, payload.length);
  return Buffer.concat([head, payload]);
}

function helloOf(field: Pick<Battlefield, 'clusterId' | 'nodeId'>, random: FuzzRandom): Buffer {
  const uuid = (): string =>
    `00000000-0000-4000-8000-${random
      .below(2 ** 32)
      .toString(16)
      .padStart(12, '0')}`;
  return encodeHello({
    identity: {
      clusterId: field.clusterId,
      storageId: storageId(uuid()),
      incarnationId: incarnationId(uuid()),
      nodeId: nodeId(60 + random.below(10)),
      featureMin: 1,
      featureMax: 1,
    },
    meantFor: nodeId(field.nodeId),
    streamCreditBytes: oneOf(random, [0, 65_536, 2 ** 32 - 1]),
  });
}
