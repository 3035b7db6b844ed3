/** An open file of a MemoryDisk. It works until it is closed or its process has ended. */
import { type FileHandle, FileSystemError } from '../file-system.ts';
import type { CombinedFault, FileOperationKind } from './disk-faults.ts';
import type { MemoryDisk } from './memory-disk.ts';
import type { MemoryFile } from './memory-file.ts';
import type { MemoryFileSystem } from './memory-file-system.ts';

export interface OpenedFile {
  readonly file: MemoryFile;
  readonly path: string;
  readonly isWritable: boolean;
}

export class MemoryFileHandle implements FileHandle {
  readonly #fileSystem: MemoryFileSystem;
  readonly #disk: MemoryDisk;
  readonly #opened: OpenedFile;
  #isClosed = false;

  constructor(fileSystem: MemoryFileSystem, disk: MemoryDisk, opened: OpenedFile) {
    this.#fileSystem = fileSystem;
    this.#disk = disk;
    this.#opened = opened;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    const { bytesMax, isSkipped } = await this.#begin('read', target.length);
    if (isSkipped) return 0;
    return this.#opened.file.read(target.subarray(0, bytesMax), position);
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const { file, path } = this.#opened;
    const inFlight = { file, position, buffers };
    this.#disk.writesInFlight.add(inFlight);
    try {
      let asked = 0;
      for (const buffer of buffers) asked += buffer.length;
      const { bytesMax, isSkipped } = await this.#begin('write', asked);
      if (isSkipped) return asked;
      const room = file.size + this.#disk.freeBytes - position;
      if (room <= 0 && asked > 0) throw new FileSystemError('ENOSPC', 'write', path);
      const count = Math.min(asked, bytesMax, room);
      // Copied when the write ends: a caller that changes a buffer before that writes the change.
      if (count > 0) this.#change(() => file.write(Buffer.concat(buffers, count), position));
      return count;
    } finally {
      this.#disk.writesInFlight.delete(inFlight);
    }
  }

  async sync(): Promise<void> {
    const { file } = this.#opened;
    // Only what was written before the sync began is covered, however late the sync ends.
    const upTo = file.sequence;
    try {
      const { isSkipped } = await this.#begin('sync', 0);
      if (!isSkipped) file.sync(upTo);
    } catch (error) {
      // Of a dead process nothing was asked of the disk: its file is as it was.
      const isAsked = !(error instanceof FileSystemError && error.errno === 'EBADF');
      if (isAsked) file.giveUp(upTo);
      throw error;
    }
  }

  async truncate(bytes: number): Promise<void> {
    const { file, path } = this.#opened;
    const { isSkipped } = await this.#begin('truncate', 0);
    if (isSkipped) return;
    if (bytes > file.size + this.#disk.freeBytes && bytes > file.size) {
      throw new FileSystemError('ENOSPC', 'truncate', path);
    }
    this.#change(() => file.resize(bytes));
  }

  async size(): Promise<number> {
    await this.#begin('size', 0);
    return this.#opened.file.size;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.#begin('close', 0);
    this.#isClosed = true;
  }

  async #begin(kind: FileOperationKind, bytes: number): Promise<CombinedFault> {
    const { path, isWritable } = this.#opened;
    const isAllowed = isWritable || kind === 'read' || kind === 'size' || kind === 'close';
    if (this.#isClosed || !isAllowed) throw new FileSystemError('EBADF', kind, path);
    return this.#fileSystem.begin(kind, path, bytes);
  }

  #change(apply: () => void): void {
    const { file } = this.#opened;
    const before = file.size;
    apply();
    if (file.isLinked) this.#disk.usedBytes += file.size - before;
    file.modifiedMs = this.#fileSystem.wall();
  }
}
