/** What to do about a topic that the metadata does not show: ask once, wait a little, then say so. */
import { metadataService } from '../../proto/generated/highwater/v1/metadata.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { ClientParts } from '../client-parts.ts';

/** The broker that answers may not have heard yet of a topic that was just created elsewhere. */
const graceMs = 1_000;
const askMs = 10_000;

/** Resolves once the view shows the topic; throws UNKNOWN_TOPIC if there is none. */
export async function awaitTopic(
  { machine, metadata, calls }: ClientParts,
  topic: string,
  signal?: AbortSignal,
): Promise<void> {
  const isKnown = (): boolean => metadata.view.topicsByName.has(topic);
  if (isKnown()) return;
  const { revision } = await calls.call(
    metadataService.getMetadata,
    { topics: [topic], minRevision: metadata.view.revision, linearizable: true },
    { timeoutMs: askMs, ...(signal === undefined ? {} : { signal }) },
  );
  await calls.seen(revision, askMs, signal);
  await metadata.reached(isKnown, machine.clock.now() + graceMs, signal);
  if (!isKnown())
    throw new HighwaterError('UNKNOWN_TOPIC', `no topic ${JSON.stringify(topic)}`, {
      outcome: 'not-written',
      facts: { topic },
    });
}
