/** What a log does for its writer: opens the files, and takes note of what was written and stored. */

import type { Offset } from '../../proto/model/offset.ts';
import type { LogConfig } from './log-config.ts';
import { failLog } from './log-failure.ts';
import type { LogKey } from './log-key.ts';
import type { LogLifecycle } from './log-lifecycle.ts';
import type { SegmentSet } from './segment-set.ts';

/** What the writer needs of its log. */
export interface WriterHost {
  readonly key: LogKey;
  readonly folder: string;
  config(): LogConfig;
  /** True once the log is being let go: nothing is waited for that may never come. */
  isClosing(): boolean;
  /** Loads the segments, and marks the log as active before anything counts as stored. */
  openForWriting(): Promise<SegmentSet>;
  onWritten(end: Offset): void;
  onStored(): void;
  /** The write failed and the file was cut back: the log ends at `end`, unless that is fatal too. */
  onFailure(caught: unknown, end: Offset): void;
}

/** The host of a log's writer. */
export function writerHost(life: LogLifecycle): WriterHost {
  let hasFolder = false;
  return {
    key: life.key,
    folder: life.folder,
    config: () => life.config,
    isClosing: () => life.isClosed,
    openForWriting: async () => {
      const segments = await life.segments();
      if (!hasFolder) {
        await life.context.fs.makeDirectory(life.folder);
        // Without a byte in it the folder's own name may not be durable, whoever made it.
        if (segments.bytes === 0) life.writer.files.madeFolder();
        hasFolder = true;
      }
      await life.mark();
      return segments;
    },
    onWritten: (end) => life.tail.written(end),
    onStored: () => life.changed(),
    onFailure: (caught, end) => failLog(life, caught, end),
  };
}
