/**
 * `npx tsx test/golden/generate.ts <level>`: keeps what the built product of today writes and sends, as
 * the test data of a feature level. What is there is never written again: the data of a level is what
 * was written when it was the newest. A kind of data that a level lacks is added.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { captureGrpc } from './capture-grpc.ts';
import { packDirectory, writeNode } from './capture-node.ts';
import { captureWire } from './capture-wire.ts';

async function generate(level: string): Promise<void> {
  const target = fileURLToPath(new URL(`level-${level}`, import.meta.url));
  if (!/^[1-9]\d*$/.test(level)) throw new Error('usage: npx tsx test/golden/generate.ts <level>');
  await mkdir(target, { recursive: true });
  const missing = Object.entries(kinds).filter(([name]) => !existsSync(join(target, name)));
  if (missing.length === 0)
    throw new Error(`${target} is complete: kept data is never written again`);
  for (const [, write] of missing) await write(target);
}

/** Each kind of data by the file or folder that it is kept in. */
const kinds: Readonly<Record<string, (target: string) => Promise<void>>> = {
  node: keepNode,
  wire: keepWire,
  'grpc.json.gz': keepGrpc,
};

async function keepNode(target: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'highwater-golden-'));
  try {
    const expectation = await writeNode(join(scratch, 'node'));
    await packDirectory(join(scratch, 'node'), join(target, 'node'));
    await writeFile(join(target, 'node.json'), `${JSON.stringify(expectation, undefined, 2)}\n`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function keepWire(target: string): Promise<void> {
  const conversations = await captureWire();
  await mkdir(join(target, 'wire'));
  for (const [number, { there, back }] of conversations.entries()) {
    await writeFile(join(target, 'wire', `${number}-there.gz`), gzipSync(Buffer.concat(there)));
    await writeFile(join(target, 'wire', `${number}-back.gz`), gzipSync(Buffer.concat(back)));
  }
}

async function keepGrpc(target: string): Promise<void> {
  const text = JSON.stringify(await captureGrpc());
  await writeFile(join(target, 'grpc.json.gz'), gzipSync(text, { level: 9 }));
}

await generate(process.argv[2] ?? '');
