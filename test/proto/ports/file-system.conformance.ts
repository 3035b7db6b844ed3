import { afterEach, expect, test } from 'vitest';
import { type FileSystem, FileSystemError, writeAll } from '../../../proto/ports/file-system.ts';

/** A file system under test, an empty directory on it, and what to do afterwards. */
export interface FileSystemUnderTest {
  readonly fileSystem: FileSystem;
  readonly root: string;
  readonly dispose?: () => Promise<void>;
}

const bytes = (text: string): Buffer => Buffer.from(text);

/** All bytes of a file. */
export async function contentOf(fileSystem: FileSystem, path: string): Promise<string> {
  const file = await fileSystem.open(path, 'read');
  try {
    const target = Buffer.alloc(await file.size());
    expect(await file.read(target, 0)).toBe(target.length);
    return target.toString('latin1');
  } finally {
    await file.close();
  }
}

/** Makes a file of these bytes; unsynced. */
export async function put(fileSystem: FileSystem, path: string, text: string): Promise<void> {
  const file = await fileSystem.open(path, 'create');
  await writeAll(file, [bytes(text)], 0);
  await file.close();
}

/** The errno that an operation fails with. */
export async function errnoOf(operation: Promise<unknown>): Promise<string> {
  try {
    await operation;
  } catch (error) {
    if (error instanceof FileSystemError) return error.errno;
    throw error;
  }
  return 'no error';
}

/** What every FileSystem does while nothing fails. */
export function fileSystemConformance(make: () => Promise<FileSystemUnderTest>): void {
  const disposals: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const dispose of disposals.splice(0)) await dispose();
  });
  const start = async () => {
    const made = await make();
    if (made.dispose !== undefined) disposals.push(made.dispose);
    return { fs: made.fileSystem, root: made.root };
  };

  test('what was written is read back, by other handles too', async () => {
    const { fs, root } = await start();
    const file = await fs.open(`${root}/a`, 'create');
    expect(await file.write([bytes('hello '), bytes(''), bytes('world')], 0)).toBe(11);
    expect(await file.write([bytes('W')], 6)).toBe(1);
    expect(await file.size()).toBe(11);
    const target = Buffer.alloc(20);
    expect(await file.read(target, 6)).toBe(5);
    expect(target.toString('latin1', 0, 5)).toBe('World');
    expect(await file.read(target, 11)).toBe(0);
    expect(await file.read(target, 500)).toBe(0);
    await file.sync();
    expect(await contentOf(fs, `${root}/a`)).toBe('hello World');
    await file.close();
  });

  test('a write beyond the end leaves zeros between', async () => {
    const { fs, root } = await start();
    await put(fs, `${root}/a`, 'abc');
    const file = await fs.open(`${root}/a`, 'write');
    await file.write([bytes('z')], 5);
    await file.close();
    expect(await contentOf(fs, `${root}/a`)).toBe('abc\0\0z');
  });

  test('thousands of small buffers and none at all are written as asked', async () => {
    const { fs, root } = await start();
    const file = await fs.open(`${root}/a`, 'create');
    const many = Array.from({ length: 5000 }, (_, index) => bytes(`${index},`));
    await writeAll(file, many, 3);
    expect(await file.write([], 0)).toBe(0);
    const large = Array.from({ length: 2100 }, (_, index) => Buffer.alloc(700, index));
    const end = await file.size();
    await writeAll(file, large, end);
    await file.close();
    const content = await contentOf(fs, `${root}/a`);
    expect(content.slice(0, end)).toBe(`\0\0\0${many.map(String).join('')}`);
    expect(content.slice(end) === Buffer.concat(large).toString('latin1')).toBe(true);
  });

  test('truncate cuts, and extends with zeros', async () => {
    const { fs, root } = await start();
    await put(fs, `${root}/a`, 'abcdef');
    const file = await fs.open(`${root}/a`, 'write');
    await file.truncate(2);
    expect(await contentOf(fs, `${root}/a`)).toBe('ab');
    await file.truncate(4);
    await file.sync();
    expect(await contentOf(fs, `${root}/a`)).toBe('ab\0\0');
    expect(await file.size()).toBe(4);
    await file.close();
  });

  test('what was written after a truncate replaces what was cut', async () => {
    const { fs, root } = await start();
    const file = await fs.open(`${root}/a`, 'create');
    await file.write([bytes('0123456789')], 0);
    await file.sync();
    await file.truncate(4);
    await file.write([bytes('xy')], 6);
    expect(await contentOf(fs, `${root}/a`)).toBe('0123\0\0xy');
    await file.sync();
    expect(await contentOf(fs, `${root}/a`)).toBe('0123\0\0xy');
    await file.close();
  });

  test('opening says which file is missing, is a directory, or may not be written', async () => {
    const { fs, root } = await start();
    expect(await errnoOf(fs.open(`${root}/a`, 'read'))).toBe('ENOENT');
    expect(await errnoOf(fs.open(`${root}/a`, 'write'))).toBe('ENOENT');
    expect(await errnoOf(fs.open(`${root}/missing/a`, 'create'))).toBe('ENOENT');
    expect(await errnoOf(fs.open(root, 'write'))).toBe('EISDIR');
    await put(fs, `${root}/a`, 'abc');
    const file = await fs.open(`${root}/a`, 'read');
    expect(await errnoOf(file.write([bytes('x')], 0))).toBe('EBADF');
    await file.close();
    expect(await errnoOf(file.read(Buffer.alloc(1), 0))).toBe('EBADF');
    await file.close();
    const again = await fs.open(`${root}/a`, 'create');
    expect(await again.size()).toBe(3);
    await again.close();
  });

  test('directories are made with their parents, listed in order and described', async () => {
    const { fs, root } = await start();
    await fs.makeDirectory(`${root}/x/y`);
    await fs.makeDirectory(`${root}/x/y`);
    await put(fs, `${root}/x/b`, 'four');
    await put(fs, `${root}/x/a`, '');
    expect(await fs.list(`${root}/x`)).toEqual(['a', 'b', 'y']);
    expect(await fs.stat(`${root}/x/b`)).toMatchObject({ bytes: 4, isDirectory: false });
    expect(await fs.stat(`${root}/x/y`)).toMatchObject({ isDirectory: true });
    expect(await fs.stat(`${root}/x/c`)).toBeUndefined();
    expect(await fs.stat(`${root}/x/a/c`)).toBeUndefined();
    expect(await errnoOf(fs.list(`${root}/none`))).toBe('ENOENT');
    expect(await errnoOf(fs.list(`${root}/x/a`))).toBe('ENOTDIR');
    expect(await errnoOf(fs.makeDirectory(`${root}/x/a`))).toBe('EEXIST');
  });

  test('a rename replaces its target at once and moves directories whole', async () => {
    const { fs, root } = await start();
    await put(fs, `${root}/a`, 'new');
    await put(fs, `${root}/b`, 'old content');
    const reader = await fs.open(`${root}/b`, 'read');
    await fs.rename(`${root}/a`, `${root}/b`);
    await fs.syncDirectory(root);
    expect(await contentOf(fs, `${root}/b`)).toBe('new');
    expect(await fs.list(root)).toEqual(['b']);
    expect(await reader.size()).toBe(11);
    await reader.close();
    await fs.makeDirectory(`${root}/x/y`);
    await put(fs, `${root}/x/y/c`, 'deep');
    await fs.rename(`${root}/x`, `${root}/z`);
    expect(await contentOf(fs, `${root}/z/y/c`)).toBe('deep');
    expect(await errnoOf(fs.rename(`${root}/none`, `${root}/b`))).toBe('ENOENT');
    expect(await errnoOf(fs.rename(`${root}/b`, `${root}/z`))).toBe('EISDIR');
    expect(await errnoOf(fs.rename(`${root}/z`, `${root}/b`))).toBe('ENOTDIR');
  });

  test('removing is harmless when there is nothing, and open handles still read', async () => {
    const { fs, root } = await start();
    await put(fs, `${root}/a`, 'abc');
    const reader = await fs.open(`${root}/a`, 'read');
    await fs.remove(`${root}/a`);
    await fs.remove(`${root}/a`);
    expect(await fs.stat(`${root}/a`)).toBeUndefined();
    const target = Buffer.alloc(3);
    expect(await reader.read(target, 0)).toBe(3);
    expect(String(target)).toBe('abc');
    await reader.close();
    await fs.makeDirectory(`${root}/x/y`);
    await put(fs, `${root}/x/y/c`, 'deep');
    expect(await errnoOf(fs.remove(`${root}/x`))).toBe('EISDIR');
    await fs.removeTree(`${root}/x`);
    await fs.removeTree(`${root}/x`);
    expect(await fs.list(root)).toEqual([]);
  });

  test('a file removed and made again starts empty', async () => {
    const { fs, root } = await start();
    await put(fs, `${root}/a`, 'abc');
    await fs.remove(`${root}/a`);
    const file = await fs.open(`${root}/a`, 'create');
    expect(await file.size()).toBe(0);
    await file.close();
  });

  test('writes of several handles and in any number at once all arrive', async () => {
    const { fs, root } = await start();
    await put(fs, `${root}/a`, '');
    const files = await Promise.all([1, 2, 3].map(() => fs.open(`${root}/a`, 'write')));
    const work = files.flatMap((file, index) =>
      [0, 1, 2, 3].map(async (round) => {
        await file.write([bytes(String(index))], round * 3 + index);
        await file.sync();
      }),
    );
    await Promise.all(work);
    await Promise.all(files.map((file) => file.close()));
    expect(await contentOf(fs, `${root}/a`)).toBe('012012012012');
  });

  test('there is space, and a directory of its own can be locked once', async () => {
    const { fs, root } = await start();
    expect(await fs.freeBytes(root)).toBeGreaterThan(1024 * 1024);
    const lock = await fs.lock(`${root}/lock`);
    expect(lock).toBeDefined();
    expect(await fs.lock(`${root}/lock`)).toBeUndefined();
    await lock?.release();
    const again = await fs.lock(`${root}/lock`);
    expect(again).toBeDefined();
    await lock?.release();
    expect(await fs.lock(`${root}/lock`)).toBeUndefined();
    await again?.release();
  });
}
