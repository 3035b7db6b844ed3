import { describe, expect, it } from 'vitest';
import { Quorum } from '../../../controller/raft/driver.ts';
import { formQuorum } from '../../../controller/raft/formation.ts';
import { quorumTables } from '../../../controller/raft/store-rows.ts';
import { raftTiming } from '../../../controller/raft/timing.ts';
import type { QuorumTransport } from '../../../controller/raft/transport.ts';
import type { HighwaterError } from '../../../proto/model/errors.ts';
import { silentLogger } from '../../../proto/ports/logger.ts';
import { failWith, onOperation } from '../../../proto/ports/memory/disk-faults.ts';
import { MemoryKeyValueStorage } from '../../../proto/ports/memory/memory-key-value.ts';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { VirtualTime } from '../../../proto/ports/memory/virtual-time.ts';
import { voterOf } from '../../scenario/raft/core-cluster.ts';
import { HashMachine } from '../../sim/hash-machine.ts';

/** A network with nobody on it. */
const alone: QuorumTransport = { start() {}, reach() {}, send() {}, close() {} };

async function singleVoter(voters = [1]) {
  const time = new VirtualTime();
  const storage = new MemoryKeyValueStorage();
  const machine = new HashMachine();
  const fatal: HighwaterError[] = [];
  const clock = time.clockFor('node 1');
  const open = storage.mount(clock).open('meta', { durability: 'synced', tables: quorumTables });
  const store = await formQuorum(await open, voters.map(voterOf));
  const quorum = new Quorum({
    self: voterOf(1).id,
    store,
    transport: alone,
    machine,
    clock,
    random: new SeededRandom(1),
    logger: silentLogger,
    timing: raftTiming(1_000),
    snapshotEveryBytes: 1_000,
    onFatal: (error) => fatal.push(error),
  });
  quorum.start();
  await time.advance(10);
  return { time, storage, machine, fatal, quorum };
}

/** The code that a request was rejected with. */
async function codeOf(request: Promise<unknown>): Promise<string> {
  return request.then(
    () => 'resolved',
    (error: HighwaterError) => error.code,
  );
}

describe('the driver of a quorum member', () => {
  it('of a single voter leads at once and applies what is proposed, in order', async () => {
    const { time, machine, quorum } = await singleVoter();
    expect(quorum.status).toMatchObject({ role: 'leader', leader: 1, isActive: true });
    const proposed = ['a', 'b', 'c'].map((text) => quorum.propose(Buffer.from(text)));
    const indexes = await time.complete(Promise.all(proposed), 100);
    expect(indexes).toEqual([3, 4, 5]);
    expect(machine.appliedIndex).toBe(5);
    expect(await time.complete(quorum.readIndex(), 100)).toBe(5);
  });

  it('serves all that one turn proposes with one flush', async () => {
    const { time, storage, quorum } = await singleVoter();
    let commits = 0;
    storage.faults.add((operation) => {
      if (operation.kind === 'commit') commits++;
      return false;
    }, failWith('EIO'));
    const proposed = Array.from({ length: 100 }, (_, at) => quorum.propose(Buffer.from(`${at}`)));
    await time.complete(Promise.all(proposed), 100);
    expect(commits).toBe(2); // The entries, then the snapshot that they call for.
  });

  it('that cannot flush ends: what was proposed has an unknown outcome, and nothing is tried again', async () => {
    const { time, storage, machine, fatal, quorum } = await singleVoter();
    const applied = machine.appliedIndex;
    storage.faults.add(onOperation('commit'), failWith('EIO'));
    const outcome = codeOf(quorum.propose(Buffer.from('a')));
    expect(await time.complete(outcome, 100)).toBe('OUTCOME_UNKNOWN');
    expect(fatal.map(({ code }) => code)).toEqual(['STORAGE_ERROR']);
    expect(machine.appliedIndex).toBe(applied);
    expect(await codeOf(quorum.propose(Buffer.from('b')))).toBe('SHUTTING_DOWN');
  });

  it('that does not lead refuses, definitely', async () => {
    const { time, quorum } = await singleVoter([1, 2, 3]);
    expect(await time.complete(codeOf(quorum.propose(Buffer.from('a'))), 100)).toBe(
      'NOT_CONTROLLER',
    );
    expect(await time.complete(codeOf(quorum.readIndex()), 100)).toBe('NOT_CONTROLLER');
    expect(await time.complete(codeOf(quorum.transferTo(voterOf(2).nodeId)), 100)).toBe(
      'NOT_CONTROLLER',
    );
  });

  it('lets the reads of one turn share a round, and a later read has its own', async () => {
    const { time, quorum } = await singleVoter();
    const reads = Array.from({ length: 50 }, () => quorum.readIndex());
    const write = quorum.propose(Buffer.from('a'));
    expect(new Set(await time.complete(Promise.all(reads), 100))).toEqual(new Set([2]));
    await time.complete(write, 100);
    expect(await time.complete(quorum.readIndex(), 100)).toBe(3);
  });

  it('refuses more than its bound of bytes, and takes more when some were applied', async () => {
    const { time, quorum } = await singleVoter();
    const large = Buffer.alloc(6 * 1024 * 1024);
    const outcomes = [large, large, large].map((data) => codeOf(quorum.propose(data)));
    const codes = await time.complete(Promise.all(outcomes), 1_000);
    expect(codes).toEqual(['resolved', 'resolved', 'OVERLOADED']);
    expect(await time.complete(codeOf(quorum.propose(large)), 1_000)).toBe('resolved');
  });

  it('that is stopped answers everything that waits', async () => {
    const { time, quorum } = await singleVoter();
    const waiting = codeOf(quorum.propose(Buffer.from('a')));
    quorum.stop();
    expect(await time.complete(waiting, 100)).toBe('OUTCOME_UNKNOWN');
    expect(await codeOf(quorum.readIndex())).toBe('SHUTTING_DOWN');
  });

  it('tells its watchers of commits until they leave', async () => {
    const { time, quorum } = await singleVoter();
    const commits: number[] = [];
    const leave = quorum.watch(({ commitIndex }) => commits.push(commitIndex));
    await time.complete(quorum.propose(Buffer.from('a')), 100);
    leave();
    await time.complete(quorum.propose(Buffer.from('b')), 100);
    expect(commits).toEqual([3]);
  });
});
