/** Calls to the controller that is active, whoever that is by then, until one answers. */
import type { ControlMethod } from '../../proto/link/control-methods.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { ControllerLinks } from '../membership/controller-links.ts';

export interface ActiveControllerOptions {
  readonly links: ControllerLinks;
  readonly activeController: () => NodeId | undefined;
  /** Calls back when another controller may be active. Returns how to stop that. */
  readonly watch: (callback: () => void) => () => void;
  readonly clock: Clock;
}

const attemptMs = 5_000;
const pauseMs = 50;
/** Failures of one attempt that say nothing of what was asked: it is asked again. */
const passing: ReadonlySet<string> = new Set([
  'NOT_CONTROLLER',
  'OUTCOME_UNKNOWN',
  'CONNECTION_LOST',
  'CONTROLLER_NOT_AVAILABLE',
  'DEADLINE_EXCEEDED',
  'SHUTTING_DOWN',
]);

export class ActiveController {
  readonly #options: ActiveControllerOptions;

  constructor(options: ActiveControllerOptions) {
    this.#options = options;
  }

  /** Asks again until there is an answer or a refusal; what is asked must bear that. */
  async call<Request, Response>(
    method: ControlMethod<Request, Response>,
    message: Request,
    deadlineMs: number,
  ): Promise<Response> {
    const { clock, links, activeController } = this.#options;
    // The caller is to hear of it before its own deadline.
    const giveUpMs = clock.now() + deadlineMs * 0.9;
    let last: HighwaterError | undefined;
    while (clock.now() < giveUpMs) {
      const active = activeController();
      if (active !== undefined) {
        try {
          const waitMs = Math.min(attemptMs, giveUpMs - clock.now());
          return await links.call(active, method, message, waitMs);
        } catch (caught) {
          last = HighwaterError.from(caught);
          if (!passing.has(last.code)) throw last;
        }
      }
      await this.#pause(active);
    }
    const isUnsure = last?.mayHaveBeenApplied === true;
    throw new HighwaterError(
      isUnsure ? 'OUTCOME_UNKNOWN' : 'CONTROLLER_NOT_AVAILABLE',
      'no active controller answered in time',
      { cause: last },
    );
  }

  /** Until another controller than this one is known to be active, but not for long. */
  #pause(active: NodeId | undefined): Promise<void> {
    const { clock, watch, activeController } = this.#options;
    const isOther = (): boolean => {
      const present = activeController();
      return present !== active && present !== undefined;
    };
    // It may have become known while the last one was asked.
    if (isOther()) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        stop();
        timer.cancel();
        resolve();
      };
      const timer = clock.after(pauseMs, end);
      const stop = watch(() => {
        if (isOther()) end();
      });
    });
  }
}
