/** What a log does for its writer: opens the files, and takes note of what was written and stored. */
import { failLog } from './log-failure.ts';
import type { LogLifecycle } from './log-lifecycle.ts';
import type { WriterHost } from './log-writer.ts';

export function writerHost(life: LogLifecycle): WriterHost {
  let hasFolder = false;
  return {
    key: life.key,
    folder: life.folder,
    config: () => life.config,
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
