/**
 * When an address may be dialled again: at once after a link that held, later and later while
 * attempts fail, never later than the longest wait.
 */
import type { Random } from '../ports/random.ts';
import type { LinkTimings } from './timings.ts';

interface Failures {
  readonly count: number;
  readonly notBefore: number;
}

export interface DialPacing {
  /** How long to wait before dialling; 0 if not at all. */
  waitMs(address: string, now: number): number;
  /** An attempt, or the link that came of it, has ended. `upMs` is 0 if no link came of it. */
  ended(address: string, attempt: { readonly upMs: number; readonly now: number }): void;
}

export function createDialPacing(timings: LinkTimings, random: Random): DialPacing {
  const failing = new Map<string, Failures>();
  return {
    waitMs(address, now) {
      return Math.max(0, (failing.get(address)?.notBefore ?? 0) - now);
    },
    ended(address, { upMs, now }) {
      if (upMs >= timings.backoffMsMax) {
        failing.delete(address);
        return;
      }
      const count = Math.min((failing.get(address)?.count ?? 0) + 1, 16);
      const full = Math.min(timings.backoffMsMin * 2 ** (count - 1), timings.backoffMsMax);
      // Between half and all of it, so that peers that failed together do not come back together.
      const wait = full / 2 + random.below(Math.ceil(full / 2) + 1);
      failing.set(address, { count, notBefore: now + Math.min(wait, full) });
    },
  };
}
