/** Passes administrative changes to the active controller, until their outcome is known. */
import { controlMethods } from '../../proto/link/control-methods.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { Random } from '../../proto/ports/random.ts';
import type { UnaryMethod } from '../../proto/ports/rpc.ts';
import type { Principal } from '../access/authorizer.ts';
import type { ControllerLinks } from '../membership/controller-links.ts';

export interface ControllerForwardOptions {
  readonly links: ControllerLinks;
  readonly activeController: () => NodeId | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

const attemptMs = 5_000;
const pauseMs = 50;
/** Failures of one attempt that say nothing of the change: it is tried again under its id. */
const passing: ReadonlySet<string> = new Set([
  'NOT_CONTROLLER',
  'OUTCOME_UNKNOWN',
  'CONNECTION_LOST',
  'CONTROLLER_NOT_AVAILABLE',
  'DEADLINE_EXCEEDED',
  'SHUTTING_DOWN',
]);

export class ControllerForward {
  readonly #options: ControllerForwardOptions;

  constructor(options: ControllerForwardOptions) {
    this.#options = options;
  }

  async change<Request extends { readonly requestId: string }, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    { principal, deadlineMs }: { readonly principal: Principal; readonly deadlineMs: number },
  ): Promise<Response> {
    const { clock, random } = this.#options;
    // A client that named the change itself may also retry it through another broker.
    const named = request.requestId === '' ? { ...request, requestId: random.uuid() } : request;
    const message = {
      path: method.path,
      principal: principal.name,
      request: Buffer.concat(method.request.encode(named)),
    };
    const giveUpMs = clock.now() + deadlineMs * 0.9;
    let last: HighwaterError | undefined;
    while (clock.now() < giveUpMs) {
      const active = this.#options.activeController();
      if (active !== undefined) {
        try {
          const answer = await this.#options.links.call(
            active,
            controlMethods.forward,
            message,
            Math.min(attemptMs, giveUpMs - clock.now()),
          );
          return method.response.decode(answer.response);
        } catch (caught) {
          last = HighwaterError.from(caught);
          if (!passing.has(last.code)) throw last;
        }
      }
      await new Promise<void>((resolve) => {
        clock.after(pauseMs, resolve);
      });
    }
    const isUnsure = last?.mayHaveBeenApplied === true;
    throw new HighwaterError(
      isUnsure ? 'OUTCOME_UNKNOWN' : 'CONTROLLER_NOT_AVAILABLE',
      'no active controller answered in time',
      {
        cause: last,
        facts: { requestId: named.requestId },
      },
    );
  }
}
