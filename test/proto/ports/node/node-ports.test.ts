import { describe } from 'vitest';
import { lmdbKeyValueOpener } from '../../../../proto/ports/node/lmdb-key-value.ts';
import { nodeClock } from '../../../../proto/ports/node/node-clock.ts';
import { nodeFileSystem } from '../../../../proto/ports/node/node-file-system.ts';
import { nodeRandom } from '../../../../proto/ports/node/node-random.ts';
import { clockConformance } from '../clock.conformance.ts';
import { fileSystemConformance } from '../file-system.conformance.ts';
import { keyValueConformance } from '../key-value.conformance.ts';
import { randomConformance } from '../random.conformance.ts';
import { scratch } from './scratch.ts';

describe('the Node clock is a Clock', () => {
  clockConformance(() => ({
    clock: nodeClock,
    until: (predicate) =>
      new Promise<void>((resolve) => {
        const check = () => (predicate() ? resolve() : void setTimeout(check, 1));
        check();
      }),
  }));
});

describe('the Node random is a Random', () => {
  randomConformance(() => nodeRandom);
});

describe('the Node file system is a FileSystem', () => {
  fileSystemConformance(async () => ({ fileSystem: nodeFileSystem(), ...(await scratch()) }));
});

describe('the LMDB store is a KeyValueStore', () => {
  keyValueConformance(async () => {
    const { root, dispose } = await scratch();
    return {
      opener: lmdbKeyValueOpener({ clock: nodeClock }),
      directory: `${root}/meta`,
      dispose,
    };
  });
});
