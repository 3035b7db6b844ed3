/**
 * (image, change) → image: the one place that says what a committed record means.
 *
 * Invariants: (1) deterministic: equal images and equal records give equal images on every node
 * (rule B4.13); (2) a change with a bad record changes nothing but the revision, and is reported;
 * (3) the image before is untouched.
 */
import type { MetadataRecord } from '../generated/highwater/metadata/v1/records.ts';
import { invariant } from '../model/invariant.ts';
import type { Revision } from '../model/offset.ts';
import { type ImageDraft, openDraft, sealDraft } from './draft.ts';
import { emptyImage, type MetadataImage } from './image.ts';
import { type RecordKind, recordVersion } from './records.ts';
import { replayBroker } from './replay-brokers.ts';
import { replayCluster } from './replay-cluster.ts';
import { replayTopic } from './replay-topics.ts';

/** What became of a change. */
export interface Replayed {
  readonly image: MetadataImage;
  /** Set if the change was refused as a whole. */
  readonly refused: RefusedChange | undefined;
}

/**
 * `isUnreadable`: a later version wrote it. A node that meets such a record cannot follow any further
 * and must stop; a bad record, in contrast, is bad on every node alike.
 */
export interface RefusedChange {
  readonly isUnreadable: boolean;
  readonly index: number;
  readonly kind: RecordKind | 'unknown';
  readonly reason: string;
}

/** Folds one change. `revision` is the index of its entry, greater than that of the image. */
export function replay(
  image: MetadataImage,
  revision: Revision,
  records: Iterable<MetadataRecord>,
): Replayed {
  invariant(revision > image.revision, 'a change is folded once, in order');
  const draft = openDraft(image, revision);
  const refused = replayAll(draft, records);
  return refused === undefined
    ? { image: sealDraft(draft), refused }
    : { image: Object.freeze({ ...image, revision }), refused };
}

/** Rebuilds an image from the records of a snapshot. */
export function replaySnapshot(revision: Revision, records: Iterable<MetadataRecord>): Replayed {
  const draft = openDraft(emptyImage, revision);
  const refused = replayAll(draft, records);
  return { image: refused === undefined ? sealDraft(draft) : emptyImage, refused };
}

/** Folds records into the draft until one is refused. */
function replayAll(
  draft: ImageDraft,
  records: Iterable<MetadataRecord>,
): RefusedChange | undefined {
  let index = 0;
  for (const one of records) {
    const refused = replayOne(draft, one, index++);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function replayOne(
  draft: ImageDraft,
  one: MetadataRecord,
  index: number,
): RefusedChange | undefined {
  const { body, version } = one;
  if (body === undefined || version !== recordVersion) {
    const reason = `a record of format ${version}; expected ${recordVersion}`;
    return { isUnreadable: true, index, kind: body?.kind ?? 'unknown', reason };
  }
  const reason = replayBody(draft, body);
  return reason === undefined ? undefined : { isUnreadable: false, index, kind: body.kind, reason };
}

/** A sentence about what is wrong with the record, or undefined and the draft has it. */
function replayBody(
  draft: ImageDraft,
  body: NonNullable<MetadataRecord['body']>,
): string | undefined {
  switch (body.kind) {
    case 'brokerRegistered':
    case 'brokerFenced':
    case 'brokerUnfenced':
    case 'brokerStopping':
    case 'brokerIntentChanged':
    case 'brokerStamped':
    case 'brokerRemoved':
      return replayBroker(draft, body);
    case 'topicCreated':
    case 'topicDeleted':
    case 'topicConfigChanged':
    case 'partitionsAdded':
    case 'partitionChanged':
    case 'roundOpened':
    case 'partitionElected':
      return replayTopic(draft, body);
    case 'clusterFormed':
    case 'featureLevelFinalised':
    case 'votersChanged':
    case 'producerIdsAllocated':
    case 'requestDone':
      return replayCluster(draft, body);
  }
}
