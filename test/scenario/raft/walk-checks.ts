/**
 * What must hold in a quorum of bare cores after every action: one leader a term, one value at a
 * committed index, every leader has what was committed before its term, and what is committed is on
 * enough disks to outlive a crash of everybody.
 */
import type { LogEntry } from '../../../controller/raft/core/entry.ts';
import { logIndex } from '../../../proto/model/offset.ts';
import type { CoreCluster } from './core-cluster.ts';

/** A broken invariant of the quorum. */
class Violation extends Error {
  override readonly name = 'Violation';
}

/** Looks at a cluster again and again; remembers who led and what was committed. */
export class QuorumChecks {
  readonly #cluster: CoreCluster;
  readonly #leaders = new Map<number, number>();
  /** By index, from 1; with the highest term that anybody knew when it was first seen committed. */
  readonly #committed: { readonly entry: LogEntry; readonly knownTerm: number }[] = [];

  constructor(cluster: CoreCluster) {
    this.#cluster = cluster;
  }

  get terms(): number {
    return this.#leaders.size;
  }

  get committed(): number {
    return this.#committed.length;
  }

  get configurations(): number {
    return this.#committed.filter(({ entry }) => entry.body.kind === 'config').length;
  }

  check(): void {
    for (const [number, { state, isDown }] of this.#cluster.members) {
      if (isDown) continue;
      if (state.role.kind === 'leader') this.#onLeader(number, state.hard.term);
      for (let index = 1; index <= state.commitIndex; index++) this.#onCommitted(number, index);
    }
  }

  /** Election safety, and leader completeness when a leader is first seen. */
  #onLeader(number: number, term: number): void {
    const before = this.#leaders.get(term);
    if (before === number) return;
    if (before !== undefined) {
      throw new Violation(`election-safety: ${before} and ${number} lead term ${term}`);
    }
    this.#leaders.set(term, number);
    for (const { entry, knownTerm } of this.#committed) {
      // Votes may come late: a leader of an earlier term owes nothing to what was committed since.
      if (knownTerm >= term || this.#entry(number, entry.index)?.term === entry.term) continue;
      throw new Violation(
        `leader-completeness: ${number} leads term ${term} without committed ${entry.index}`,
      );
    }
  }

  /** State machine safety, and durability at the moment when an entry is first committed. */
  #onCommitted(number: number, index: number): void {
    const entry = this.#entry(number, index);
    const known = this.#committed[index - 1]?.entry;
    if (entry === undefined) throw new Violation(`committed-log: ${number} lacks its ${index}`);
    if (known !== undefined) {
      if (known.term === entry.term) return;
      throw new Violation(
        `committed-log: ${index} is of term ${entry.term} at ${number}, of ${known.term} elsewhere`,
      );
    }
    const terms = [...this.#cluster.members.values()].map(({ state }) => state.hard.term);
    this.#committed.push({ entry, knownTerm: Math.max(...terms) });
    // Several configurations may follow each other within one action: one of them committed it.
    const configurations = this.#cluster.members.get(number)?.state.configurations ?? [];
    const isDurable = configurations.some(({ voters }) => {
      const holders = voters.filter(({ nodeId }) => this.#hasOnDisk(nodeId, entry));
      return 2 * holders.length > voters.length;
    });
    if (!isDurable) throw new Violation(`durable-commit: ${index} is on too few disks`);
  }

  #hasOnDisk(number: number, { index, term }: LogEntry): boolean {
    const log = this.#cluster.members.get(number)?.disk.log;
    return log !== undefined && log.lastIndex >= index && log.termAt(index) === term;
  }

  #entry(number: number, index: number): LogEntry | undefined {
    return this.#cluster.members.get(number)?.state.log.entryAt(logIndex(index));
  }
}
