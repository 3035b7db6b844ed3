import type { HighwaterError } from '../../model/errors.ts';
import { InvariantViolation } from '../../model/invariant.ts';
import type { Logger } from '../../ports/logger.ts';

/**
 * Where what handlers throw ends up. An operating error is an answer; anything else is a defect: it is
 * logged here, the caller learns INTERNAL and nothing else (rule F26). A broken invariant is also
 * told to the composition root, which ends the process.
 */
export interface DefectSink {
  readonly logger: Logger;
  readonly onInvariantViolation?: ((violation: InvariantViolation) => void) | undefined;
}

/** Reports a defect that a handler of `path` threw. */
export function reportDefect(sink: DefectSink, path: string, thrown: unknown): void {
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  sink.logger.error('rpc-handler-defect', 'A handler threw what is no operating error.', {
    path,
    error: text,
  });
  if (thrown instanceof InvariantViolation) sink.onInvariantViolation?.(thrown);
}

/** Runs a handler so that nothing escapes; returns what it threw. */
export function guarded(run: () => void): { readonly thrown: unknown } | undefined {
  try {
    run();
    return undefined;
  } catch (thrown) {
    return { thrown };
  }
}

/** True for an error that is an answer and not a defect. */
export function isAnswer(thrown: unknown): thrown is HighwaterError {
  return thrown instanceof Error && thrown.name === 'HighwaterError';
}
