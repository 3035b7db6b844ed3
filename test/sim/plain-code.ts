/**
 * The simulator as plain JavaScript, for processes that run many seeds. What `tsx` makes of TypeScript
 * keeps the names of all functions, which costs something each time a closure is made: about a tenth of a run.
 *
 * What a module became is kept by its content, so that only what has changed is translated again. The
 * types are not checked here.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '../..');
const cache = join(root, 'node_modules/.cache/simulator');

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};

/** Writes a module and all that it imports into a directory of this process; returns the module there. */
export function plainCode(module: string): string {
  const directory = join(cache, `run-${process.pid}`);
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const waiting = [relative(root, module)];
  const seen = new Set(waiting);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const code = translated(path);
    write(join(directory, inPlain(path)), code);
    for (const [, imported = ''] of code.matchAll(
      /(?:from|import)\s*\(?\s*['"](\.[^'"]+)\.js['"]/g,
    )) {
      const next = join(dirname(path), `${imported}.ts`);
      if (seen.has(next)) continue;
      seen.add(next);
      waiting.push(next);
    }
  }
  write(join(directory, 'package.json'), '{ "type": "module" }');
  return join(directory, inPlain(relative(root, module)));
}

function translated(path: string): string {
  const text = readFileSync(join(root, path), 'utf8');
  const hash = createHash('sha256').update(ts.version).update(text).digest('hex');
  const kept = join(cache, 'modules', `${hash}.js`);
  if (existsSync(kept)) return readFileSync(kept, 'utf8');
  const { outputText } = ts.transpileModule(text, { compilerOptions: options, fileName: path });
  write(kept, outputText);
  return outputText;
}

function inPlain(path: string): string {
  return path.replace(/\.ts$/, '.js');
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
