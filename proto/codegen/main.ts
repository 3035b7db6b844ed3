/** `npm run proto`: writes proto/generated anew. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from './generate.ts';

const protoDirectory = fileURLToPath(new URL('..', import.meta.url));
const generated = join(protoDirectory, 'generated');

rmSync(generated, { recursive: true, force: true });
for (const [module, text] of generate(join(protoDirectory, 'schema'))) {
  const path = join(generated, module);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
