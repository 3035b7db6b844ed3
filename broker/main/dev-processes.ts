/** The nodes of a development cluster as processes of their own. They end with this one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DevLayout, type DevNode, devSettings } from './dev-layout.ts';

export interface DevProcess {
  readonly node: DevNode;
  readonly logPath: string;
  /** Resolves with the exit code once the process has ended. */
  readonly ended: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
}

/** Starts every node; each writes its log beside its data. */
export function startProcesses(layout: DevLayout, directory: string): DevProcess[] {
  return layout.nodes.map((node) =>
    startProcess(layout, node, join(directory, `node-${node.id}.log`)),
  );
}

function startProcess(layout: DevLayout, node: DevNode, logPath: string): DevProcess {
  const cli = fileURLToPath(new URL('./cli.js', import.meta.url));
  const flags = [...devSettings(layout, node)].flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(process.execPath, [cli, 'server', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const log = createWriteStream(logPath, { flags: 'a' });
  child.stderr.pipe(log);
  return { node, logPath, ended: ended(child, log), signal: (name) => void child.kill(name) };
}

function ended(child: ChildProcess, log: WriteStream): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', (code) => {
      log.end();
      resolve(code);
    });
    child.once('error', () => resolve(null));
  });
}
