/**
 * `npx tsx test/golden/generate.ts <level>`: keeps what the built product of today writes and sends, as
 * the test data of a feature level. What is there is never written again: the data of a level is what
 * was written when it was the newest.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { packDirectory, writeNode } from './capture-node.ts';
import { captureWire } from './capture-wire.ts';

async function generate(level: string): Promise<void> {
  const target = fileURLToPath(new URL(`level-${level}`, import.meta.url));
  if (!/^[1-9]\d*$/.test(level)) throw new Error('usage: npx tsx test/golden/generate.ts <level>');
  if (existsSync(target)) throw new Error(`${target} exists: kept data is never written again`);
  const scratch = await mkdtemp(join(tmpdir(), 'highwater-golden-'));
  try {
    const expectation = await writeNode(join(scratch, 'node'));
    const conversations = await captureWire();
    await mkdir(join(target, 'wire'), { recursive: true });
    await packDirectory(join(scratch, 'node'), join(target, 'node'));
    await writeFile(join(target, 'node.json'), `${JSON.stringify(expectation, undefined, 2)}\n`);
    for (const [number, { there, back }] of conversations.entries()) {
      await writeFile(join(target, 'wire', `${number}-there.gz`), gzipSync(Buffer.concat(there)));
      await writeFile(join(target, 'wire', `${number}-back.gz`), gzipSync(Buffer.concat(back)));
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

await generate(process.argv[2] ?? '');
