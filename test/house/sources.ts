import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Files that belong to the project: tracked, or about to be. */
export function projectFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed.split('\n').filter((path) => path !== '' && exists(path));
}

/** Hand-written TypeScript. */
export function sourceFiles(): string[] {
  return projectFiles().filter(
    (path) => path.endsWith('.ts') && !path.startsWith('proto/generated/'),
  );
}

/** The text of a project file. */
export function textOf(path: string): string {
  return readFileSync(`${root}/${path}`, 'utf8');
}

function exists(path: string): boolean {
  try {
    readFileSync(`${root}/${path}`);
    return true;
  } catch {
    return false;
  }
}
