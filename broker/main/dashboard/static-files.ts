/**
 * The files of the dashboard, read once from beside the program and kept: page, style, the compiled
 * modules and the chart library. Nothing else can be asked for.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface StaticFile {
  readonly contentType: string;
  readonly bytes: Buffer;
  readonly etag: string;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

let kept: ReadonlyMap<string, StaticFile> | undefined;

/** By path; empty where the modules were not built. */
export function dashboardFiles(): ReadonlyMap<string, StaticFile> {
  kept ??= readFiles();
  return kept;
}

function readFiles(): ReadonlyMap<string, StaticFile> {
  const root = projectRoot();
  const pages = join(root, 'client/dashboard');
  const modules = join(root, 'dist/client/dashboard');
  const shared = join(root, 'dist/proto/dashboard');
  const charts = dirname(createRequire(import.meta.url).resolve('uplot'));
  const files = new Map<string, StaticFile>();
  for (const name of namesIn(pages, ['.html', '.css', '.svg']))
    files.set(`/dashboard/${name}`, staticFile(join(pages, name)));
  for (const name of namesIn(modules, ['.js']))
    files.set(`/dashboard/${name}`, staticFile(join(modules, name)));
  // The modules name what they share with the node by its place beside them.
  for (const name of namesIn(shared, ['.js']))
    files.set(`/proto/dashboard/${name}`, staticFile(join(shared, name)));
  for (const name of ['uPlot.iife.min.js', 'uPlot.min.css'])
    files.set(`/dashboard/vendor/${name}`, staticFile(join(charts, name)));
  return files;
}

/** Beside the sources, or beside dist/ in the package. */
function projectRoot(): string {
  const here = fileURLToPath(new URL('../../../', import.meta.url));
  return existsSync(join(here, 'package.json')) ? here : join(here, '..');
}

function namesIn(directory: string, extensions: readonly string[]): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => extensions.includes(extname(name)))
    .map((name) => name.replaceAll('\\', '/'));
}

function staticFile(path: string): StaticFile {
  const bytes = readFileSync(path);
  return {
    contentType: contentTypes[extname(path)] ?? 'application/octet-stream',
    bytes,
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
  };
}
