/**
 * From what a member holds to what it is to hold. A partition that was given anew in a later generation
 * has been somebody else's in between: it is let go and taken again, at its committed offset.
 */

/** By partition key, the generation in which it was given. */
export type Grants = ReadonlyMap<string, number>;

export interface AssignmentChange {
  readonly release: readonly string[];
  readonly take: readonly string[];
}

/** What to let go and what to take, where `held` is what this member has at present. */
export function assignmentChange(held: Grants, assigned: Grants): AssignmentChange {
  const release: string[] = [];
  const take: string[] = [];
  for (const [key, given] of held) if (assigned.get(key) !== given) release.push(key);
  for (const key of assigned.keys()) if (!held.has(key)) take.push(key);
  return { release, take };
}
