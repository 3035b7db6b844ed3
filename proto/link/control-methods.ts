/**
 * The conversations between brokers and controllers on a link stream of kind `control`: a number, a
 * request and an answer for each. A number is never given to another method.
 */
import {
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponse,
  AlterPartitionsRequest,
  AlterPartitionsResponse,
  ForwardRequest,
  ForwardResponse,
  HeartbeatRequest,
  HeartbeatResponse,
  MeetRequest,
  MeetResponse,
  PromiseAnswersRequest,
  PromiseAnswersResponse,
  ReadCommittedRequest,
  ReadCommittedResponse,
  ReadEventsRequest,
  ReadEventsResponse,
  RegisterBrokerRequest,
  RegisterBrokerResponse,
} from '../generated/highwater/peer/v1/control.ts';
import type { RpcCodec } from '../ports/rpc.ts';
import type { LinkCall, LinkCallHandler, LinkRequests } from './requests.ts';

export interface ControlMethod<Request, Response> {
  readonly number: number;
  readonly request: RpcCodec<Request>;
  readonly response: RpcCodec<Response>;
}

function method<Request, Response>(
  number: number,
  request: RpcCodec<Request>,
  response: RpcCodec<Response>,
): ControlMethod<Request, Response> {
  return { number, request, response };
}

export const controlMethods = {
  register: method(1, RegisterBrokerRequest, RegisterBrokerResponse),
  heartbeat: method(2, HeartbeatRequest, HeartbeatResponse),
  alterPartitions: method(3, AlterPartitionsRequest, AlterPartitionsResponse),
  promiseAnswers: method(4, PromiseAnswersRequest, PromiseAnswersResponse),
  forward: method(5, ForwardRequest, ForwardResponse),
  readEvents: method(8, ReadEventsRequest, ReadEventsResponse),
  meet: method(7, MeetRequest, MeetResponse),
  readCommitted: method(9, ReadCommittedRequest, ReadCommittedResponse),
  allocateProducerIds: method(6, AllocateProducerIdsRequest, AllocateProducerIdsResponse),
};

/** What is told without an answer, by a number of its own. */
export const controlNotices = {
  /** From a controller to those who speak to it: it has become the active one. */
  active: 10,
} as const;

/** Asks the other end; rejects with what it threw, or with how the link failed. */
export async function callControl<Request, Response>(
  requests: LinkRequests,
  { number, request, response }: ControlMethod<Request, Response>,
  message: Request,
  deadlineMs: number,
): Promise<Response> {
  const answer = await requests.call(
    number,
    { header: Buffer.concat(request.encode(message)) },
    deadlineMs,
  );
  return response.decode(answer.header);
}

/** A table entry that answers a method. */
export function answerControl<Request, Response>(
  { number, request, response }: ControlMethod<Request, Response>,
  answer: (message: Request, call: LinkCall) => Promise<Response>,
): readonly [number, LinkCallHandler] {
  return [
    number,
    async (call) => ({
      header: Buffer.concat(response.encode(await answer(request.decode(call.header), call))),
    }),
  ];
}
