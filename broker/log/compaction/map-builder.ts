/** Reads the keys of the dirty part of a log into the map of a pass, as far as the map has room. */
import { attributeBits } from '../../../proto/wire/batch-layout.ts';
import { checkedRecords } from '../../../proto/wire/open-batch.ts';
import type { ScannedBatch } from '../segment-scan.ts';
import { type WalkedSegment, type WalkOptions, walkSegment } from '../segment-walk.ts';
import type { CompactionPass } from './batch-filter.ts';
import type { OffsetMap } from './core/offset-map.ts';
import { hashKey } from './key-hash.ts';
import { RawRecords } from './raw-records.ts';

/** What is read. */
export interface DirtyPart {
  /** Segments that take part, oldest first. */
  readonly segments: readonly (WalkedSegment & { readonly endOffset: number })[];
  readonly from: number;
}

/** The map is whole up to `mapEnd`; or why the walk ended early. */
export type MapEnd =
  | ({ readonly kind: 'built' } & Pick<CompactionPass, 'mapEnd'>)
  | { readonly kind: 'stopped' }
  | { readonly kind: 'damaged'; readonly path: string; readonly reason: string };

/** Fills the map. */
export async function buildMap(
  map: OffsetMap,
  dirty: DirtyPart,
  options: WalkOptions,
): Promise<MapEnd> {
  let mapEnd = dirty.from;
  for (const segment of dirty.segments) {
    if (segment.endOffset <= dirty.from) continue;
    let fullAt: number | undefined;
    const end = await walkSegment(segment, options, (batch) => {
      if (batch.header.lastOffset < dirty.from) return 'go-on';
      fullAt = putKeys(map, batch, dirty.from);
      mapEnd = fullAt ?? batch.header.lastOffset + 1;
      return fullAt === undefined ? 'go-on' : 'stop';
    });
    if (fullAt !== undefined) break;
    if (end.kind === 'stopped') return { kind: 'stopped' };
    if (end.kind === 'bad') {
      return { kind: 'damaged', path: segment.path, reason: end.reason ?? 'bad bytes' };
    }
  }
  return { kind: 'built', mapEnd };
}

/** The offset of the first record that found no room; undefined if all did. */
function putKeys(
  map: OffsetMap,
  { header, piece }: ScannedBatch,
  from: number,
): number | undefined {
  const isControl = (header.attributes & attributeBits.control) !== 0;
  if (header.recordCount === 0 || isControl) return undefined;
  const span = checkedRecords(piece, header);
  if ('kind' in span) return undefined;
  const records = new RawRecords(span, header.recordCount);
  while (records.next()) {
    const offset = header.baseOffset + records.offsetDelta;
    const key = offset < from ? undefined : records.key();
    if (key !== undefined && !map.put(hashKey(key), offset)) return offset;
  }
  return undefined;
}
