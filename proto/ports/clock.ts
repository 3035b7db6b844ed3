/**
 * Time. Only implementations touch `Date`, `performance` and timers; everything else takes a Clock,
 * so that a simulated cluster runs on virtual time.
 */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary origin. Never goes back; the base of all timeouts. */
  now(): number;
  /** Wall-clock milliseconds since 1970. May jump: used for timestamps and retention only. */
  wall(): number;
  /** Calls back once, not before `ms` have passed. A stalled process calls late, never twice. */
  after(ms: number, callback: () => void): Timer;
  /** Calls back once this turn's work is done: the place to coalesce what one turn produced. */
  soon(callback: () => void): void;
}

export interface Timer {
  /** After it returns the callback will not be called. Harmless when it already was. */
  cancel(): void;
}
