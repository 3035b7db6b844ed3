/** Passes administrative changes to the active controller, until their outcome is known. */
import { controlMethods } from '../../proto/link/control-methods.ts';
import type { Random } from '../../proto/ports/random.ts';
import type { UnaryMethod } from '../../proto/ports/rpc.ts';
import type { Principal } from '../access/authorizer.ts';
import type { ActiveController } from './active-controller.ts';

export class ControllerForward {
  readonly #controller: ActiveController;
  readonly #random: Random;

  constructor(controller: ActiveController, random: Random) {
    this.#controller = controller;
    this.#random = random;
  }

  async change<Request extends { readonly requestId: string }, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    { principal, deadlineMs }: { readonly principal: Principal; readonly deadlineMs: number },
  ): Promise<Response> {
    // A client that named the change itself may also retry it through another broker.
    const requestId = request.requestId === '' ? this.#random.uuid() : request.requestId;
    const message = {
      path: method.path,
      principal: principal.name,
      request: Buffer.concat(method.request.encode({ ...request, requestId })),
    };
    const answer = await this.#controller.call(controlMethods.forward, message, deadlineMs);
    return method.response.decode(answer.response);
  }
}
