/**
 * Opens the files of a log that was at rest. What an earlier process left behind is finished or removed
 * first, so that the files are what the record says.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { finishSwaps } from './compaction/segment-swap.ts';
import type { LogContext } from './log-context.ts';
import { trimFiles } from './log-files.ts';
import { type LogKey, logName } from './log-key.ts';
import type { LogState } from './log-state.ts';
import { removableTo } from './log-store.ts';
import { SegmentSet } from './segment-set.ts';

/** What the directory gives each log. */
export interface LogIdentity {
  readonly key: LogKey;
  readonly folder: string;
}

/** The segments up to the recovery point; never beside another loading, nor while the log is written. */
export async function loadSegments(
  context: LogContext,
  { key, folder }: LogIdentity,
  log: { readonly state: LogState; readonly isTidy: boolean },
): Promise<SegmentSet> {
  const { fs, handles, indexes, store } = context;
  const place = { fs, handles, indexes, key, folder };
  const { logStartOffset, highWatermark, recoveryPoint } = log.state;
  // An exchange of this process is over before the log is loaded again; a pass may be writing.
  if (!log.isTidy) await finishSwaps(place);
  // Bytes behind the record were written by a process that died before it told anybody.
  const removeTo = removableTo(store, { key, logStartOffset, highWatermark });
  await trimFiles(place, { removeTo, end: recoveryPoint });
  return SegmentSet.load(place, recoveryPoint);
}

/** The log is not there any more. */
export function wasRemoved({ key }: LogIdentity): HighwaterError {
  return new HighwaterError('UNKNOWN_PARTITION', `The log ${logName(key)} was removed from here.`);
}
