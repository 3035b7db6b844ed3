import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { seededRandom } from '../random.ts';
import type { FuzzTarget } from '../target.ts';
import { type Codec, checkDecoder } from './decoder-promises.ts';
import { sampleMessage, schemaFiles, typesOf } from './sample-messages.ts';

interface GeneratedCodec {
  encode(message: unknown): readonly Uint8Array[];
  decode(bytes: Buffer): unknown;
}

/** In a fixed order, so that the number at the start of an input names one. */
const codecs: Codec<unknown>[] = [];
const names: string[] = [];
const samplesEach = 6;

/** Every generated decoder. An input is two bytes that choose one, and the message. */
export const messagesTarget: FuzzTarget = {
  name: 'messages',
  async seeds() {
    await loadCodecs();
    const random = seededRandom(1);
    return names.flatMap((name, index) =>
      Array.from({ length: samplesEach }, () => {
        const choice = Buffer.of(index >> 8, index & 0xff);
        return Buffer.concat([choice, sampleMessage(name, random)]);
      }),
    );
  },
  check(input) {
    if (input.length < 2) return;
    const codec = codecs[input.readUInt16BE() % codecs.length];
    if (codec !== undefined) checkDecoder(codec, input.subarray(2));
  },
};

async function loadCodecs(): Promise<void> {
  if (codecs.length > 0) return;
  for (const file of schemaFiles) {
    const exports = await importGenerated(file.replace(/\.proto$/, '.ts'));
    for (const name of typesOf(file)) {
      const codec = exports[name.slice(name.lastIndexOf('.') + 1)];
      if (!isCodec(codec)) throw new Error(`${file} has no codec of ${name}`);
      names.push(name);
      codecs.push({
        decode: (bytes) => codec.decode(bytes),
        encode: (message) => Buffer.concat(codec.encode(message)),
      });
    }
  }
}

const generated = fileURLToPath(new URL('../../../proto/generated', import.meta.url));

async function importGenerated(module: string): Promise<Readonly<Record<string, unknown>>> {
  const isThere = readdirSync(generated, { recursive: true, encoding: 'utf8' }).includes(module);
  if (!isThere) throw new Error(`${module} was not generated: run npm run proto`);
  return (await import(pathToFileURL(join(generated, module)).href)) as Record<string, unknown>;
}

function isCodec(value: unknown): value is GeneratedCodec {
  return typeof value === 'object' && value !== null && 'decode' in value && 'encode' in value;
}
