import { beforeEach, describe, expect, it } from 'vitest';
import { theTopic } from '../../proto/metadata/metadata-builders.ts';
import { World } from '../world.ts';
import { Deletions, type WatchedDisk } from './deletions.ts';

const folder = `/data/logs/${theTopic}-0`;

describe('a log goes behind a committed record (S26)', () => {
  let disk: WatchedDisk & { revision: number };
  let checker: Deletions;
  /** The revision at which the replica was taken from node 1. */
  let taken: number;

  const operate = (kind: string, path: string): void => {
    disk.onOperation?.(kind, path);
    checker.check();
  };

  beforeEach(() => {
    disk = { id: 1, revision: 5, onOperation: undefined };
    taken = 0;
    checker = new Deletions(
      new World(1),
      [disk],
      (place, node, since) => place === `${theTopic}/0` && node === 1 && taken >= since,
    );
    operate('make-directory', folder);
  });

  it.each(['remove', 'rename'])('%s without one: a violation', (kind) => {
    expect(() => operate(kind, folder)).toThrow('no record says so');
  });

  it('it may once one was committed', () => {
    taken = 6;
    operate('remove', folder);
  });

  it('one of before it was made does not count', () => {
    taken = 6;
    operate('remove', folder);
    disk.revision = 8;
    operate('make-directory', folder);
    expect(() => operate('remove', folder)).toThrow('no record says so');
  });

  it('one that is redone by a process that knows nothing yet is as old as before', () => {
    taken = 4;
    disk.revision = 0;
    operate('make-directory', folder);
    expect(() => operate('remove', folder)).toThrow('no record says so');
  });

  it.each(['/data/logs', `/data/quarantine/${theTopic}-0-17`])('%s stays', (path) => {
    taken = 6;
    expect(() => operate('remove', path)).toThrow('no record says so');
  });

  it('files of a log come and go', () => {
    operate('remove', `${folder}/00000000000000000000.log`);
  });
});
