/** Damage from below in a walk: a stored batch goes bad, for one read or over a start. */
import { logName } from '../../../broker/log/log-key.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { offset } from '../../../proto/model/offset.ts';
import { findNode } from '../../../proto/ports/memory/directory-tree.ts';
import { writeInt64 } from '../../../proto/wire/int64.ts';
import { hold, type ModelBatch } from './log-model.ts';
import type { LogWalk } from './log-walk.ts';
import { keyOf, type LogWorld } from './log-world.ts';

interface BatchPlace {
  readonly path: string;
  readonly position: number;
  readonly bytes: Buffer;
}

/** A batch that was damaged while no process ran. */
export interface StoredDamage {
  readonly partition: number;
  /** The start has told it, or has not looked at it: then it is undone. */
  checkStart(): Promise<void>;
}

/** Spoils a stored batch that is not the last one, while no process runs; undefined if none fits. */
export function damageStored(walk: LogWalk): StoredDamage | undefined {
  const { world, random } = walk;
  const partition = random.below(walk.logs);
  const model = walk.model(partition);
  if (model.isCompacted || model.cuttingTo !== undefined) return undefined;
  const stored = model.batches.filter((one) => one.endOffset <= model.stored);
  const index = random.below(Math.max(1, stored.length - 1));
  const [spoilt, behind] = stored.slice(index, index + 2);
  if (spoilt === undefined || behind === undefined || spoilt.baseOffset < model.logStart) {
    return undefined;
  }
  const place = placeOf(world, partition, spoilt);
  if (place === undefined || placeOf(world, partition, behind) === undefined) return undefined;
  put(world, place, spoiltChecksum(place.bytes));
  return {
    partition,
    checkStart: async () => {
      const log = world.log(partition);
      if (log.logEndOffset > spoilt.baseOffset) {
        undo(world, place);
        return;
      }
      hold(log.damage !== undefined, () => `B4.15 lost bytes are told: ${log.logEndOffset}`);
      walk.count('damage told');
      await world.run(log.clearDamage());
    },
  };
}

/** A batch on the disk is not what it was, or is in the place of another: nobody is given it. */
export async function readDamaged(walk: LogWalk, partition: number): Promise<void> {
  const { world, random } = walk;
  const model = walk.model(partition);
  const log = world.log(partition);
  const readable = model.batches.filter(
    (one) => one.baseOffset >= model.logStart && one.endOffset <= log.storedEnd,
  );
  const wanted = readable[random.below(Math.max(1, readable.length))];
  const place = wanted === undefined ? undefined : placeOf(world, partition, wanted);
  if (wanted === undefined || place === undefined) return;
  // What is not flushed yet would become durable by the damage.
  if (world.disk.file(place.path).unsyncedBytes > 0) return;
  const isMisplaced = random.below(2) === 0;
  put(world, place, isMisplaced ? misplaced(place.bytes, wanted) : spoiltChecksum(place.bytes));
  const request = { from: offset(wanted.baseOffset), maxBytes: 1, upTo: log.storedEnd };
  try {
    const read = await world.run(Promise.resolve(log.read(request)));
    const isSame = Buffer.concat(read.buffers).equals(wanted.bytes);
    const rule = isMisplaced ? 'B5.8' : 'B5.4';
    hold(isSame, () => `${rule} a bad batch is not handed out: ${wanted.baseOffset}`);
  } catch (caught) {
    if (!(caught instanceof HighwaterError) || caught.code !== 'DAMAGED_LOG') throw caught;
    walk.count(isMisplaced ? 'misplaced batch found' : 'bad batch found');
  }
  put(world, place, place.bytes);
}

function spoiltChecksum(bytes: Buffer): Buffer {
  const spoilt = Buffer.from(bytes);
  spoilt.writeUInt8(spoilt.readUInt8(spoilt.length - 1) ^ 1, spoilt.length - 1);
  return spoilt;
}

/** Its checksum holds, and it says that it belongs further on. */
function misplaced(bytes: Buffer, { baseOffset, endOffset }: ModelBatch): Buffer {
  const moved = Buffer.from(bytes);
  writeInt64(moved, baseOffset + (endOffset - baseOffset), 0);
  return moved;
}

/** Where the batch lies as it was appended; undefined if nowhere. */
function placeOf(
  world: LogWorld,
  partition: number,
  { bytes }: ModelBatch,
): BatchPlace | undefined {
  const folder = `/data/logs/${logName(keyOf(partition))}`;
  const node = findNode(world.disk.tree.root, folder);
  if (node?.kind !== 'directory') return undefined;
  for (const name of node.entries.keys()) {
    const path = `${folder}/${name}`;
    const position = name.endsWith('.log') ? world.disk.file(path).content().indexOf(bytes) : -1;
    if (position >= 0) return { path, position, bytes };
  }
  return undefined;
}

function put(world: LogWorld, { path, position }: BatchPlace, bytes: Buffer): void {
  const content = world.disk.file(path).content();
  content.set(bytes, position);
  world.disk.replaceContent(path, content);
}

/** Puts the batch back if it still lies there, spoilt: a redo or a cut may have come first. */
function undo(world: LogWorld, place: BatchPlace): void {
  if (findNode(world.disk.tree.root, place.path)?.kind !== 'file') return;
  const content = world.disk.file(place.path).content();
  const end = place.position + place.bytes.length;
  if (content.subarray(place.position, end).equals(spoiltChecksum(place.bytes))) {
    put(world, place, place.bytes);
  }
}
