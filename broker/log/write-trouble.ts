/**
 * What becomes of a log whose write failed. The file is cut back to its last whole batch in any case.
 *
 * What nobody was told of is given up, and the log's owner decides how it goes on. What the journal
 * stored has been acknowledged: a full disk is waited for, since it may pass; any other failure ends
 * the node, for without its segment the log cannot go on.
 */
import { FileSystemError } from '../../proto/ports/file-system.ts';
import type { LogContext } from './log-context.ts';
import type { ActiveSegment } from './segment.ts';
import type { WriterHost } from './writer-host.ts';

/** After so long a disk that had no room is tried again. */
const roomRetryMs = 500;

/** Owned by one log's writer. */
export class WriteTrouble {
  readonly #context: LogContext;
  readonly #host: WriterHost;
  /** Nothing is written or flushed until the log was reset. */
  hasFailed = false;
  /** What waits is stored, and found no room in its segment: nothing is written for a while. */
  waitsForRoom = false;

  constructor(context: LogContext, host: WriterHost) {
    this.#context = context;
    this.#host = host;
  }

  /** Resolves when the file ends where `writtenEnd` says; `onRetry` is called later if it is worth it. */
  async failed(
    caught: unknown,
    active: ActiveSegment | undefined,
    log: {
      readonly isAcknowledged: boolean;
      readonly onGivenUp: () => void;
      readonly onRetry: () => void;
    },
  ): Promise<void> {
    const isFull = caught instanceof FileSystemError && caught.isFull;
    const mayWait = log.isAcknowledged && isFull && !this.#host.isClosing();
    this.hasFailed = !mayWait;
    try {
      await active?.cutBack(this.#context);
      if (mayWait) this.#waitForRoom(caught, log.onRetry);
      else if (log.isAcknowledged) throw caught;
      else log.onGivenUp();
    } catch (second) {
      // Partial bytes that cannot be removed would come back as a torn tail of somebody else's log.
      this.#context.onFatal(second);
    }
  }

  #waitForRoom(caught: FileSystemError, onRetry: () => void): void {
    const { space, clock, logger } = this.#context;
    const message =
      'The disk is full; what was acknowledged is kept in the journal, and written later.';
    logger.warn('log-waits-for-room', message, { error: caught.message });
    space.isFull();
    this.waitsForRoom = true;
    clock.after(roomRetryMs, () => {
      this.waitsForRoom = false;
      onRetry();
    });
  }
}
