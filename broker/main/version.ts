/** Which version of the package this is: from its package.json, beside the sources and above dist/. */
import { existsSync, readFileSync } from 'node:fs';

export function packageVersion(): string {
  for (const above of ['../../package.json', '../../../package.json']) {
    const file = new URL(above, import.meta.url);
    if (!existsSync(file)) continue;
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version?: string };
    if (version !== undefined) return version;
  }
  return 'unknown';
}
