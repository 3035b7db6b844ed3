/** Every acknowledged record stands where its producer was told, on every replica, and nothing stands twice. */
import type { Send } from '../history/operation.ts';
import type { ReplicaContents } from './read-replica.ts';

export interface AuditInput {
  readonly partition: string;
  /** All replicas that were in sync when the nodes were stopped. */
  readonly replicas: ReadonlyMap<number, ReplicaContents>;
  /** What was acknowledged at a level that these replicas must have kept. */
  readonly acknowledged: readonly Send[];
}

/** What is wrong, a sentence each; none for a clean audit. */
export function auditReplicas({ partition, replicas, acknowledged }: AuditInput): string[] {
  const faults: string[] = [];
  const [first] = replicas;
  for (const [node, contents] of replicas) {
    const valueAt = new Map<number, string>();
    const offsetOf = new Map<string, number>();
    for (const { records } of contents.batches)
      for (const { offset, value } of records) {
        valueAt.set(offset, value);
        const other = offsetOf.get(value);
        if (other !== undefined)
          faults.push(`${partition}, node ${node}: ${value} stands at ${other} and ${offset}`);
        offsetOf.set(value, offset);
      }
    for (const { value, offset = -1 } of acknowledged)
      if (valueAt.get(offset) !== value)
        faults.push(
          `${partition}, node ${node}: ${value} was acknowledged at ${offset}, which holds ${valueAt.get(offset) ?? 'nothing'}`,
        );
    if (first !== undefined && contents.digest !== first[1].digest)
      faults.push(
        `${partition}: node ${node} (end ${contents.endOffset}) and node ${first[0]} (end ${first[1].endOffset}) differ`,
      );
  }
  return faults;
}
