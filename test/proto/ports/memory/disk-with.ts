import { writeAll } from '../../../../proto/ports/file-system.ts';
import { MemoryDisk } from '../../../../proto/ports/memory/memory-disk.ts';

/** A disk with one durable file `/d/a` of the given text. */
export async function diskWith(text: string) {
  const disk = new MemoryDisk();
  const fs = disk.mount();
  await fs.makeDirectory('/d');
  await fs.syncDirectory('/');
  const file = await fs.open('/d/a', 'create');
  await writeAll(file, [Buffer.from(text)], 0);
  await file.sync();
  await fs.syncDirectory('/d');
  return { disk, fs, file };
}
