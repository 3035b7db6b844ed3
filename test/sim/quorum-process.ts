/**
 * A controller's quorum member as a program of the simulated world: production core, driver, store and
 * transport, with ghosts beside them that note what was made durable and what was said.
 */
import type { Snapshot } from '../../controller/raft/core/effects.ts';
import type { LogPosition } from '../../controller/raft/core/entry.ts';
import { LogView } from '../../controller/raft/core/log-view.ts';
import type { Envelope } from '../../controller/raft/core/messages.ts';
import type { Rules } from '../../controller/raft/core/rules.ts';
import type { HardState, RaftTiming } from '../../controller/raft/core/state.ts';
import { type Voter, type VoterId, voterId } from '../../controller/raft/core/voter.ts';
import { Quorum } from '../../controller/raft/driver.ts';
import { formQuorum } from '../../controller/raft/formation.ts';
import { openQuorumStore, type QuorumStore } from '../../controller/raft/store.ts';
import { quorumTables } from '../../controller/raft/store-rows.ts';
import { createLinkTransport, type QuorumTransport } from '../../controller/raft/transport.ts';
import { silentLogger } from '../../proto/ports/logger.ts';
import { HashMachine } from './hash-machine.ts';
import type { Host, Machine } from './machine.ts';
import type { World } from './world.ts';

/** What is known to be on a disk, whatever the process believes. */
export interface DurableQuorum {
  readonly hard: HardState;
  readonly log: LogView;
  readonly snapshot: Snapshot | undefined;
}

/** One member over all its lives: what a checker looks at. */
export class Member {
  readonly id: VoterId;
  readonly machine: Machine;
  /** The running process; undefined while the machine is down. */
  quorum: Quorum | undefined;
  replica = new HashMachine();
  durable: DurableQuorum | undefined;
  /** Called for each message before it leaves. */
  onSend: (message: Envelope, durable: DurableQuorum | undefined) => void = () => {};

  constructor(machine: Machine) {
    this.machine = machine;
    this.id = voterId(machine.nodeId, machine.storageId);
  }

  get isRunning(): boolean {
    return this.quorum !== undefined && this.machine.state !== 'down';
  }

  get voter(): Voter {
    const { nodeId, storageId, address } = this.machine;
    return { id: this.id, nodeId, storageId, ...address };
  }
}

export interface QuorumProgram {
  readonly world: World;
  readonly timing: RaftTiming;
  readonly snapshotEveryBytes: number;
  /** The voters of the formation; a member that is not among them joins later. */
  readonly founders: () => readonly Voter[];
  readonly member: () => Member;
  readonly rules: Rules;
}

/** The program of one member: opens the store, forms the quorum at the first start, and runs. */
export function quorumProgram(program: QuorumProgram): (host: Host) => Promise<void> {
  return async (host) => {
    const member = program.member();
    member.quorum = undefined;
    const keyValues = await host.keyValues.open('meta', {
      durability: 'synced',
      tables: quorumTables,
    });
    const founders = program.founders();
    const isFounder = founders.some(({ id }) => id === member.id);
    const store = await (isFounder ? formQuorum(keyValues, founders) : openQuorumStore(keyValues));
    member.replica = new HashMachine();
    const quorum = new Quorum({
      self: member.id,
      store: withGhost(store, member, program.world),
      transport: withEars(
        createLinkTransport({ endpoint: host.endpoint, clock: host.clock, self: member.id }),
        member,
        program.world,
      ),
      machine: member.replica,
      clock: host.clock,
      random: host.random,
      logger: storyOf(program.world, member),
      timing: program.timing,
      snapshotEveryBytes: program.snapshotEveryBytes,
      rules: program.rules,
      onFatal: (error) => host.exit(error.message),
    });
    member.quorum = quorum;
    quorum.start();
  };
}

/** Notes what is on the disk when a flush has ended. */
function withGhost(store: QuorumStore, member: Member, world: World): QuorumStore {
  const { hard, base, snapshot } = store.loaded;
  const last: LogPosition = store.loaded.entries.at(-1) ?? base;
  world.note(`load ${member.id.slice(0, 1)} term ${hard.term} last ${last.index}/${last.term}`);
  if (store.recovery.damagedFrom !== undefined) world.reach('damage-found');
  if (store.recovery.tornRows > 0) world.reach('torn-tail-cut');
  member.durable = { hard, log: LogView.from(base, store.loaded.entries), snapshot };
  return {
    ...store,
    persist: async (effects) => {
      const { state } = member.quorum ?? {};
      await store.persist(effects);
      if (state !== undefined) {
        member.durable = { hard: state.hard, log: state.log, snapshot: state.snapshot };
      }
    },
  };
}

function withEars(transport: QuorumTransport, member: Member, world: World): QuorumTransport {
  return {
    start: (handlers) => transport.start(handlers),
    reach: (voters) => transport.reach(voters),
    close: () => transport.close(),
    send: (message) => {
      const { from, to, term, body } = message;
      world.note(`${from.slice(0, 1)}>${to.slice(0, 1)} ${term} ${body.kind}`);
      member.onSend(message, member.durable);
      transport.send(message);
    },
  };
}

/** The story of the quorum goes into the trace and into the table of what was reached. */
function storyOf(world: World, member: Member): typeof silentLogger {
  const line = (event: string, _message: string, fields = {}) => {
    world.note(`${member.id.slice(0, 1)} ${event} ${JSON.stringify(fields)}`);
    const reason = 'reason' in fields ? ` ${String(fields.reason)}` : '';
    world.reach(`${event}${reason}`);
  };
  return { ...silentLogger, info: line, warn: line, error: line };
}
