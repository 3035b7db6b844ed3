/**
 * Walks the batches of a sealed segment in the background: in steps of bounded size, at a bounded
 * rate, and until it is told to stop. The file is held open, so a segment that is replaced or removed
 * meanwhile is read to its end all the same.
 */

import { isCompressionLoaded, loadCompression } from '../../proto/wire/compression/codecs.ts';
import { type CompressionId, compressionNames } from '../../proto/wire/compression-id.ts';
import type { HandlePool } from './handle-pool.ts';
import type { IoPace } from './io-pace.ts';
import { type ScanEnd, type ScannedBatch, scanSegment } from './segment-scan.ts';

/** Bytes between two pauses. */
const stepBytes = 512 * 1024;

/** The segment, and what its first batch must continue. */
export interface WalkedSegment {
  readonly path: string;
  readonly bytes: number;
  readonly baseOffset: number;
}

export interface WalkOptions {
  readonly handles: HandlePool;
  readonly pace: IoPace;
  /** Codecs of the batches are loaded before they are visited, as far as they are installed. */
  readonly wantsRecords: boolean;
  /** Called between two steps, when nothing points into the bytes of the last one. */
  afterStep?(): Promise<void>;
}

/** `stopped`: by the visitor or the pace. */
export type WalkEnd = Pick<ScanEnd, 'kind' | 'position' | 'nextOffset' | 'reason'>;

/** Visits every batch, its checksum verified; `stop` ends the walk. */
export async function walkSegment(
  segment: WalkedSegment,
  options: WalkOptions,
  visit: (batch: ScannedBatch) => 'go-on' | 'stop',
): Promise<WalkEnd> {
  const missing = new Set<CompressionId>();
  const lease = await options.handles.lease(segment.path, 'write');
  let range = {
    from: 0,
    to: segment.bytes,
    nextOffset: segment.baseOffset as number | undefined,
    epoch: -1,
    checkCrc: true,
  };
  try {
    for (;;) {
      const step = { wanted: undefined as CompressionId | undefined, hasEnough: false };
      let before = range;
      const end = await scanSegment(lease.handle, range, (batch) => {
        const { compression } = batch.header;
        if (
          options.wantsRecords &&
          !isCompressionLoaded(compression) &&
          !missing.has(compression)
        ) {
          step.wanted = compression;
          before = { ...range, from: batch.position, nextOffset: batch.header.baseOffset };
          return 'stop';
        }
        if (visit(batch) === 'stop') {
          step.hasEnough = true;
          return 'stop';
        }
        return batch.position + batch.header.byteLength - range.from >= stepBytes
          ? 'stop'
          : 'go-on';
      });
      await options.afterStep?.();
      await options.pace.take(end.position - range.from);
      if (step.hasEnough || end.kind === 'bad') return end;
      if (options.pace.isStopped) return { ...end, kind: 'stopped' };
      if (end.kind === 'whole') return end;
      const { wanted } = step;
      if (wanted === undefined) {
        range = { ...range, from: end.position, nextOffset: end.nextOffset, epoch: end.epoch };
      } else {
        // What is not installed is met again, and then visited as it is.
        await loadCompression(compressionNames[wanted]).catch(() => missing.add(wanted));
        range = before;
      }
    }
  } finally {
    lease.release();
  }
}
