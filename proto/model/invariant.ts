/**
 * A broken invariant is a programmer's error: the state can no longer be trusted, so the process
 * ends and recovery is the ordinary start-up path. It is never caught to go on.
 */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** Asserts what the code relies on. The sentence says what must hold, not what went wrong. */
export function invariant(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new InvariantViolation(`must hold: ${sentence}`);
}
