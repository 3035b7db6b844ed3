/**
 * Forwarded changes carry a request id (rule 6.13): applied once, and a retry is answered as the first
 * time, whichever broker and controller it comes through. The memory is committed with the change.
 */
import type { MetadataImage, RememberedRequest } from '../../../proto/metadata/image.ts';
import { record } from '../../../proto/metadata/records.ts';
import { limits } from '../../../proto/model/limits.ts';
import { revision } from '../../../proto/model/offset.ts';
import { type Outcome, refused } from './decision.ts';

/** The answer that was given to this request; undefined: it was not applied, or long ago. */
export function rememberedAnswer(
  image: MetadataImage,
  requestId: string,
): RememberedRequest | undefined {
  return requestId === '' ? undefined : image.requests.byId.get(requestId);
}

/**
 * The decision with the memory of its answer in the same change. A refusal is not remembered: nothing
 * was applied, and a retry is judged anew.
 */
export function remembering<Response>(
  outcome: Outcome<Response>,
  requestId: string,
  answer: RememberedRequest['answer'],
): Outcome<Response> {
  if (outcome.kind === 'refused' || requestId === '') return outcome;
  if (requestId.length > limits.clientIdBytesMax) {
    const expected = `expected up to ${limits.clientIdBytesMax}`;
    return refused(
      'INVALID_REQUEST',
      `a request id of ${requestId.length} characters; ${expected}`,
    );
  }
  if (outcome.records.length === 0 || answer.length > limits.requestAnswerBytesMax) return outcome;
  const done = record('requestDone', { requestId, answer, revision: revision(0) });
  return { ...outcome, records: [...outcome.records, done] };
}
