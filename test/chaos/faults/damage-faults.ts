/**
 * Files of one node that are not what was written: changed, cut, removed, or all gone. The node has to
 * notice by itself, say so, and fetch what it lacks. One node at a time, on a cluster that is whole: more
 * is beyond what an acknowledgement survives.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { until } from '../../../broker/main/fleet/cluster-view.ts';
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { type FaultScene, oneOf, pause } from './fault.ts';
import { addVoter, removeVoter } from './membership-faults.ts';
import { killHard } from './process-faults.ts';

/** The last segments are left alone where damage must be found: what is not sealed is not searched. */
const youngSegments = 2;
const noticeMs = 180_000;

/** A killed node comes back without the last bytes of its logs: its disk lied about them. */
export async function tear(scene: FaultScene): Promise<void> {
  const { cluster, random, tally } = scene;
  const node = cluster.node(scene.node);
  await killHard(scene, node.id);
  for (const segments of logsOf(node.data)) {
    const last = segments.at(-1);
    if (last === undefined) continue;
    truncateSync(last, Math.max(0, statSync(last).size - random.below(2_000)));
    tally.filesSpoiled++;
  }
  node.start();
}

/** A byte of a sealed segment changes under the running node. */
export async function rot(scene: FaultScene): Promise<void> {
  const node = scene.cluster.node(scene.node);
  const path = sealedSegment(node.data, scene.random);
  if (path === undefined) return;
  const told = toldFrom(node.logPath);
  flip(path, scene.random);
  scene.tally.filesSpoiled++;
  await noticed(path, () => told().some(tellsOf(path)));
}

/** While the node is down a sealed segment changes, loses its end or vanishes. */
export async function spoil(scene: FaultScene): Promise<void> {
  const { random } = scene;
  const node = scene.cluster.node(scene.node);
  await killHard(scene, node.id);
  const told = toldFrom(node.logPath);
  const path = sealedSegment(node.data, random);
  const former = path === undefined ? undefined : readFileSync(path);
  if (path !== undefined) {
    const way = random.below(3);
    if (way === 0) flip(path, random);
    else if (way === 1) truncateSync(path, random.below(statSync(path).size));
    else rmSync(path);
    scene.tally.filesSpoiled++;
  }
  await pause(scene.lastsMs);
  node.start();
  if (path === undefined) return;
  // The start puts back what the flush journal still held, and need not know that it was wrong.
  const isWhole = (): boolean => former !== undefined && beginsWith(path, former);
  await noticed(path, () => isWhole() || told().some(tellsOf(path)));
}

/** Bytes of the flush journal change while the node is down: what only it held is torn. */
export async function spoilJournal(scene: FaultScene): Promise<void> {
  const { random, tally } = scene;
  const node = scene.cluster.node(scene.node);
  await killHard(scene, node.id);
  const journal = join(node.data, 'journal');
  for (const name of namesIn(journal)) {
    const path = join(journal, name);
    if (statSync(path).size === 0) continue;
    for (let times = 0; times < 20; times++) flip(path, random);
    tally.filesSpoiled++;
  }
  node.start();
}

/** The disk of a node is replaced, as the operations manual says. */
export async function replaceDisk(scene: FaultScene): Promise<void> {
  const { client, random, tally } = scene;
  const node = scene.cluster.node(scene.node);
  const isSudden = random.below(2) === 0;
  if (isSudden) await killHard(scene, node.id);
  await removeVoter(client, node.id);
  if (!isSudden) await node.kill('SIGTERM');
  scene.cluster.network.drop(node.id);
  rmSync(node.data, { recursive: true, force: true });
  tally.filesSpoiled++;
  await pause(scene.lastsMs);
  node.start();
  await addVoter(client, node.id);
}

/** Damage that nobody notices is a fault of the product, as bad as a loss. */
async function noticed(path: string, isNoticed: () => boolean): Promise<void> {
  await until(
    () => Promise.resolve(isNoticed()),
    (is) => is,
    `damage to ${path} is told`,
    noticeMs,
  );
}

/** Lines about the damaged log, by the search or by the recovery of a start. */
function tellsOf(path: string): (line: string) => boolean {
  const folder = path.split('/').at(-2) ?? '';
  const topicId = folder.slice(0, folder.lastIndexOf('-'));
  return (line) => isDamageTold(line) && line.includes(topicId);
}

function isDamageTold(line: string): boolean {
  return line.includes('"event":"log-damaged"') || line.includes('"verdict":"damaged"');
}

/** What a node logs from here on. */
function toldFrom(logPath: string): () => string[] {
  const { length } = readFileSync(logPath, 'utf8');
  return () => readFileSync(logPath, 'utf8').slice(length).split('\n');
}

/** The segments of each log, oldest first. */
function logsOf(data: string): string[][] {
  const logs = join(data, 'logs');
  return namesIn(logs).map((log) =>
    namesIn(join(logs, log))
      .filter((name) => /^\d{20}\.log$/.test(name))
      .map((name) => join(logs, log, name)),
  );
}

function beginsWith(path: string, former: Buffer): boolean {
  return existsSync(path) && former.equals(readFileSync(path).subarray(0, former.length));
}

/** One of those that hold anything: below a disk that forgets, what was not flushed is not there. */
function sealedSegment(data: string, random: SeededRandom): string | undefined {
  const sealed = logsOf(data)
    .flatMap((segments) => segments.slice(0, -youngSegments))
    .filter((path) => statSync(path).size > 0);
  return sealed.length === 0 ? undefined : oneOf(random, sealed);
}

function flip(path: string, random: SeededRandom): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  const at = random.below(statSync(path).size);
  readSync(file, byte, 0, 1, at);
  writeSync(file, Buffer.of((byte[0] ?? 0) ^ (1 << random.below(8))), 0, 1, at);
  fsyncSync(file);
  closeSync(file);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
