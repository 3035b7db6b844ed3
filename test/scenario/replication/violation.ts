/** A broken promise. */
export class Violation extends Error {
  override readonly name = 'Violation';
}
