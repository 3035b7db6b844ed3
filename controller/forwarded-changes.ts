/**
 * Administrative changes that brokers pass on, as they came from a client: decoded, decided once for
 * each request id, and answered as the first time when they come again (rule 6.13).
 */
import type {
  ForwardRequest,
  ForwardResponse,
} from '../proto/generated/highwater/peer/v1/control.ts';
import type { MetadataImage } from '../proto/metadata/image.ts';
import { HighwaterError } from '../proto/model/errors.ts';
import { type Revision, revision } from '../proto/model/offset.ts';
import type { UnaryMethod } from '../proto/ports/rpc.ts';
import { decided, type Outcome } from './cluster/core/decision.ts';
import { rememberedAnswer, remembering } from './cluster/core/requests.ts';
import type { DecisionQueue } from './decision-queue.ts';

/** One change by its path: how it is read, decided and answered. */
export interface ForwardedChange {
  decide(image: MetadataImage, request: Buffer): Outcome<Answer>;
  /** The answer with the revision at which it was committed. */
  stamp(answer: Answer, committed: Revision): Buffer;
}

/** An encoded response, and where it was committed if that was earlier. */
interface Answer {
  readonly bytes: Uint8Array;
  readonly revision: Revision | undefined;
}

export type AdminDecisions = ReadonlyMap<string, ForwardedChange>;

/** A table entry: `answer` makes the response without its revision. */
export function forwarded<
  Request extends { readonly requestId: string },
  Response extends { readonly revision: Revision },
  Decided,
>(
  method: UnaryMethod<Request, Response>,
  decide: (image: MetadataImage, request: Request) => Outcome<Decided>,
  answer: (decided: Decided) => Omit<Response, 'revision'>,
): readonly [string, ForwardedChange] {
  const encode = (response: Decided): Buffer =>
    Buffer.concat(
      method.response.encode({ ...answer(response), revision: revision(0) } as Response),
    );
  return [
    method.path,
    {
      decide(image, bytes) {
        const request = method.request.decode(bytes);
        const before = rememberedAnswer(image, request.requestId);
        if (before !== undefined)
          return decided({ bytes: before.answer, revision: before.revision });
        const outcome = decide(image, request);
        if (outcome.kind === 'refused') return outcome;
        const made = encode(outcome.response);
        return remembering(
          { ...outcome, response: { bytes: made, revision: undefined } },
          request.requestId,
          made,
        );
      },
      stamp(given, committed) {
        const response = method.response.decode(Buffer.from(given.bytes));
        return Buffer.concat(
          method.response.encode({ ...response, revision: given.revision ?? committed }),
        );
      },
    },
  ];
}

/** Decides one forwarded change and returns the client's answer as bytes. */
export async function decideForwarded(
  changes: AdminDecisions,
  queue: DecisionQueue,
  message: ForwardRequest,
): Promise<ForwardResponse> {
  const change = changes.get(message.path);
  if (change === undefined) {
    throw new HighwaterError(
      'UNSUPPORTED_VERSION',
      `${message.path} is not a change that this controller decides`,
      { facts: { path: message.path } },
    );
  }
  const committed = await queue.decide((image) => change.decide(image, message.request));
  return { response: change.stamp(committed.response, committed.revision) };
}
