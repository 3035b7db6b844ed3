/**
 * One run: a quorum under faults from one seed (safety), then everything is healed and has to come to
 * rest within a bounded virtual time (liveness).
 */
import { everyRule, type Rules } from '../../controller/raft/core/rules.ts';
import type { RaftTiming } from '../../controller/raft/core/state.ts';
import { nodeId, storageId } from '../../proto/model/ids.ts';
import { CommittedLog } from './checkers/committed-log.ts';
import { Configurations } from './checkers/configurations.ts';
import { checkDurableCommits } from './checkers/durable-commit.ts';
import { ElectionSafety } from './checkers/election-safety.ts';
import { LogMatching } from './checkers/log-matching.ts';
import { Votes } from './checkers/votes.ts';
import { Faults } from './faults.ts';
import { Machine, type Program } from './machine.ts';
import { Member, quorumProgram } from './quorum-process.ts';
import { drawSwarm, type Swarm } from './swarm.ts';
import { checkUndisturbed } from './undisturbed.ts';
import { Workload } from './workload.ts';
import { type RunResult, Violation, World } from './world.ts';

export interface SimulationResult extends RunResult {
  readonly swarm: Swarm;
  readonly reads: number;
}

const electionMs = 150;
const safetyMs = 2_000;
/** Everything has to work again within so many election timeouts after healing, and then stay so. */
const convergeMs = 60 * electionMs;
const calmMs = 6 * electionMs;
/** Every fourth seed goes on to ask what a quorum at rest bears. */
const undisturbedEvery = 4;

const linkTimings = {
  helloMs: 200,
  dialMs: 200,
  heartbeatMs: 150,
  silentMs: 500,
  backoffMsMin: 5,
  backoffMsMax: 60,
};

export async function simulate(seed: number, rules: Rules = everyRule): Promise<SimulationResult> {
  const world = new World(seed);
  const swarm = drawSwarm(world.random.fork('swarm'));
  world.note(JSON.stringify(swarm));
  const members = createMembers(world, swarm, rules);
  const committed = new CommittedLog(members);
  checkDurableCommits(members, committed);
  const elections = new ElectionSafety(world, members, committed);
  const workload = new Workload(world, members, { committed, swarm });
  world.watch(committed, elections, new LogMatching(members), new Votes(world, members));
  world.watch(new Configurations(members));
  world.watch({ name: 'workload', check: () => workload.check() });
  const faults = new Faults(world, members, swarm);
  world.network.setDefaultDelay({ latencyMs: swarm.latencyMs, jitterMs: swarm.jitterMs });
  let violation: string | undefined;
  try {
    for (const { machine } of members) machine.start();
    void faults.run();
    void workload.run();
    await world.time.advance(safetyMs);
    faults.heal();
    await converge(world, members, { workload, committed, elections });
    if (seed % undisturbedEvery === 0) await checkUndisturbed(world, members, electionMs);
    workload.checkHistory();
  } catch (caught) {
    violation = caught instanceof Violation ? caught.message : describe(caught);
    for (const member of members) world.note(lastWords(member));
  }
  workload.stop();
  return {
    seed,
    swarm,
    violation,
    stamp: world.trace.stamp,
    events: world.time.executedCount,
    virtualMs: world.time.now(),
    acknowledged: workload.acknowledged,
    reads: workload.reads,
    reached: world.reached,
    tail: world.trace.tail,
  };
}

function createMembers(world: World, swarm: Swarm, rules: Rules): readonly Member[] {
  const members: Member[] = [];
  const timing: RaftTiming = {
    electionMs,
    heartbeatMs: 40,
    appendBytesMax: swarm.appendBytesMax,
    inFlightBytesMax: 1_000,
    chunkBytes: 128,
    snapshotBytesMax: 100_000,
    trailingBytes: swarm.trailingBytes,
  };
  const founders = () => members.slice(0, swarm.founders).map(({ voter }) => voter);
  for (let number = 1; number <= swarm.founders + swarm.spares; number++) {
    const program: Program = quorumProgram({
      world,
      timing,
      snapshotEveryBytes: swarm.snapshotEveryBytes,
      founders,
      member: () => member,
      rules,
    });
    const machine = new Machine(world, {
      nodeId: nodeId(number),
      storageId: storageId(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`),
      program,
      timings: linkTimings,
    });
    machine.storage.flushMs = swarm.flushMs;
    const member: Member = new Member(machine);
    members.push(member);
  }
  return members;
}

/** Liveness: a leader that can commit, everybody level with it, and then no more elections. */
async function converge(
  world: World,
  members: readonly Member[],
  parts: {
    readonly workload: Workload;
    readonly committed: CommittedLog;
    readonly elections: ElectionSafety;
  },
): Promise<void> {
  const { workload, elections } = parts;
  const leader = () =>
    members.find((member) => member.isRunning && member.quorum?.status.isActive === true);
  const isLevel = () => {
    const leading = leader()?.quorum?.status;
    if (leading === undefined) return false;
    return leading.voters.every(({ id }) => {
      const quorum = members.find((member) => member.id === id)?.quorum;
      return quorum?.status.appliedIndex === leading.appliedIndex && !quorum.status.isDamaged;
    });
  };
  await expectWithin(world, 'a leader is active', () => leader() !== undefined);
  workload.stop();
  // The workload's last requests may still come in; one more change has to go through.
  await world.time.advance(electionMs);
  const before = workload.acknowledged;
  for (let tries = 0; workload.acknowledged === before; tries++) {
    if (tries * electionMs > convergeMs) throw new Violation('liveness', 'no change goes through');
    void workload.proposeAtLeader();
    await world.time.advance(electionMs);
  }
  await expectWithin(world, 'every voter is level with the leader', isLevel);
  const terms = elections.leaders.size;
  await world.time.advance(calmMs);
  if (elections.leaders.size !== terms) {
    throw new Violation('no-flapping', 'a healed quorum elected another leader');
  }
}

async function expectWithin(world: World, what: string, holds: () => boolean): Promise<void> {
  if (await world.time.runUntil(holds, convergeMs)) return;
  throw new Violation('liveness', `not within ${convergeMs} virtual ms: ${what}`);
}

/** What a member was when a run failed. */
function lastWords({ id, machine, quorum }: Member): string {
  const state = quorum?.state;
  const voters = state?.configurations.map(({ index, voters }) => `${index}:${voters.length}`);
  return JSON.stringify({
    id,
    machine: machine.state,
    role: state?.role.kind,
    hard: state?.hard,
    last: state?.log.last,
    base: state?.log.base,
    commitIndex: state?.commitIndex,
    electionDueAt: state?.electionDueAt,
    voters,
  });
}

function describe(caught: unknown): string {
  return caught instanceof Error ? (caught.stack ?? caught.message) : String(caught);
}
