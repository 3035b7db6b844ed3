/**
 * Which proposals leave in one message: at most one of each replica, since a controller judges all of
 * them on one image. What a replica asked for after that follows in the next message, in order.
 */
import type { PartitionDriver } from './partition-driver.ts';

/** Something that a replica asks the controllers for. */
export interface AskedBy {
  readonly driver: Pick<PartitionDriver, 'topicId' | 'partition'>;
}

/** The first of each replica, and the rest; both keep their order. */
export function takeNamedOnce<Asked extends AskedBy>(
  waiting: readonly Asked[],
): { readonly taken: Asked[]; readonly left: Asked[] } {
  const named = new Set<AskedBy['driver']>();
  const taken: Asked[] = [];
  const left: Asked[] = [];
  for (const asked of waiting) {
    (named.has(asked.driver) ? left : taken).push(asked);
    named.add(asked.driver);
  }
  return { taken, left };
}
