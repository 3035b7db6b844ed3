/** What readers and sessions are promised in a test world, and what a leader tells of its log. */
import { decideRead, latestOffset } from '../../../broker/replication/core/reading.ts';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { Violation } from './violation.ts';
import type { TestBroker, World } from './world.ts';

/** What a session holds after a receipt: where its record is, and in which epoch it got there. */
export interface SessionToken {
  readonly id: number;
  readonly at: number;
  readonly epoch: number;
}

/** Sessions that go on; older ones have ended. */
const tokensKept = 6;

export function keepToken(world: World, token: SessionToken): void {
  const { tokens } = world.ghost;
  tokens.push(token);
  if (tokens.length > tokensKept) tokens.shift();
}

export function checkReaders(world: World): void {
  for (const broker of world.brokers) {
    if (!broker.isUp) continue;
    checkHistory(broker);
    checkRising(broker);
    checkEnd(world, broker);
    checkServed(world, broker);
    for (const token of world.ghost.tokens) checkSession(broker, token);
    checkWaiting(broker);
  }
}

/** S13: the history that is kept is the one that the records give. */
function checkHistory({ node, core, records }: TestBroker): void {
  const { history } = core.log;
  let entries = 0;
  let last = -1;
  for (let at = 0; at < records.length; at++) {
    const epoch = records[at]?.epoch ?? 0;
    if (epoch === last) continue;
    const entry = history[entries++];
    if (entry?.epoch !== epoch || entry.startOffset !== at) entries = -1;
    if (entries < 0) break;
    last = epoch;
  }
  if (entries === history.length) return;
  throw new Violation(`S13 the history of ${node} is not that of its records`);
}

/** S8: while a replica has its role its watermark does not go back. */
function checkRising({ node, core: { role, watermark } }: TestBroker): void {
  if (role.kind !== 'leader') return;
  const before = shown.get(role) ?? 0;
  if (watermark < before)
    throw new Violation(`S8 ${node} goes back from ${before} to ${watermark}`);
  shown.set(role, watermark);
}

/** The watermark of each leadership, as long as it lasts. */
const shown = new WeakMap<object, number>();

/** B1.8: the end that the newest leader tells is never below what was shown. */
function checkEnd({ controller, ghost }: World, { node, core }: TestBroker): void {
  if (core.role.kind !== 'leader' || core.role.epoch !== controller.leaderEpoch) return;
  const told = latestOffset(core);
  if (told !== undefined && told < ghost.trueWatermark) {
    throw new Violation(`B1.8 leader ${node} says ${told}, and ${ghost.trueWatermark} was shown`);
  }
}

/** S17: what is read is below the watermark of some leader. */
function checkServed({ ghost }: World, { node, core }: TestBroker): void {
  const request = { offset: core.log.start, position: undefined, token: undefined };
  const verdict = decideRead(core, request);
  if (verdict.kind !== 'serve' || verdict.upTo <= ghost.trueWatermark) return;
  throw new Violation(`S17 ${node} serves up to ${verdict.upTo}, above every watermark`);
}

/** S16: who has written a record sees it, or is told that it was cut; and is told so only then. */
function checkSession({ node, core, records }: TestBroker, { id, at, epoch }: SessionToken): void {
  const token = { epoch: leaderEpoch(epoch), offset: offset(at + 1) };
  const verdict = decideRead(core, { offset: core.log.start, position: undefined, token });
  const held = records[at];
  if (verdict.kind === 'serve' && held?.id !== id) {
    throw new Violation(`S16 ${node} serves a session without ${id}, which it wrote`);
  }
  if (verdict.kind === 'position-lost' && held?.id === id && held.epoch === epoch) {
    throw new Violation(`S16 ${node} has ${id}, and says that it was cut`);
  }
}

/** B1.6: nobody waits at `all` while that cannot come. */
function checkWaiting({ node, core }: TestBroker): void {
  if (core.role.kind !== 'leader') return;
  const { committed, waiting } = core.role;
  const minimum = core.metadata?.settings.minInsyncReplicas ?? 1;
  if (committed.isr.length < minimum && waiting.all.length > 0) {
    throw new Violation(`B1.6 somebody waits at ${node} for more replicas than are in sync`);
  }
}
