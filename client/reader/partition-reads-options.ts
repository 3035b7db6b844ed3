/** What the reads of several partitions are made with. */
import type { ReadLevel } from '../../proto/generated/highwater/v1/fetch.ts';
import type { HighwaterError } from '../../proto/model/errors.ts';
import type { Offset } from '../../proto/model/offset.ts';
import type { ClientParts } from '../client-parts.ts';
import type { Session } from '../session/session.ts';
import type { ReadFrom } from './core/replica-choice.ts';
import type { PartitionCursor } from './partition-cursor.ts';

export interface PartitionReadsOptions {
  readonly parts: ClientParts;
  readonly session: Session;
  readonly readFrom: ReadFrom;
  readonly rack: string | undefined;
  readonly level: ReadLevel;
  readonly prefetchBytesMax: number;
  /** Where to go on in a partition whose next offset is not kept; without it reading fails. */
  readonly restart?: (cursor: PartitionCursor) => Promise<Offset>;
  /** Partitions come and go, and the failure of one is no end of the others: it is told here. */
  readonly onGivenUp?: (cursor: PartitionCursor, error: HighwaterError) => void;
}
