/** An open file of the real machine: one promise and one call to the thread pool per operation. */
import * as fs from 'node:fs';
import { type FileHandle, FileSystemError } from '../file-system.ts';
import { gather } from './gather.ts';
import type { SyncGate } from './sync-gate.ts';

type Callback<Value> = (error: NodeJS.ErrnoException | null, value: Value) => void;

export class NodeFileHandle implements FileHandle {
  /** Undefined once closed: the number may be another file's by then. */
  #descriptor: number | undefined;
  readonly #path: string;
  readonly #gate: SyncGate;

  constructor(descriptor: number, path: string, gate: SyncGate) {
    this.#descriptor = descriptor;
    this.#path = path;
    this.#gate = gate;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.#call<number>('read', (descriptor, done) => {
      fs.read(descriptor, target, 0, target.length, position, done);
    });
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const gathered = gather(buffers);
    return this.#call<number>('write', (descriptor, done) => {
      const [first] = gathered;
      if (first === undefined) done(null, 0);
      else if (gathered.length > 1) fs.writev(descriptor, gathered, position, done);
      else fs.write(descriptor, first, 0, first.length, position, done);
    });
  }

  sync(): Promise<void> {
    return this.#gate.run(() =>
      this.#call<void>('sync', (descriptor, done) => {
        fs.fdatasync(descriptor, (error) => done(error));
      }),
    );
  }

  truncate(bytes: number): Promise<void> {
    return this.#call<void>('truncate', (descriptor, done) => {
      fs.ftruncate(descriptor, bytes, (error) => done(error));
    });
  }

  async size(): Promise<number> {
    const stat = await this.#call<fs.Stats>('size', (descriptor, done) => {
      fs.fstat(descriptor, done);
    });
    return stat.size;
  }

  async close(): Promise<void> {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) return;
    await this.#call<void>('close', (open, done) => {
      this.#descriptor = undefined;
      fs.close(open, (error) => done(error ?? null));
    });
  }

  #call<Value>(
    operation: string,
    call: (descriptor: number, done: Callback<Value>) => void,
  ): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      if (this.#descriptor === undefined) {
        reject(new FileSystemError('EBADF', operation, this.#path));
        return;
      }
      call(this.#descriptor, (error, value) => {
        if (error === null) resolve(value);
        else reject(new FileSystemError(error.code ?? 'EIO', operation, this.#path, error));
      });
    });
  }
}
