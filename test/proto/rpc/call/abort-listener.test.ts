import { expect, test } from 'vitest';
import { listenForAbort } from '../../../../proto/rpc/call/abort-listener.ts';

test('a hundred calls may wait on one signal without a warning, and all of them hear it', async () => {
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => {
    warnings.push(warning.name);
  };
  process.on('warning', onWarning);
  const abort = new AbortController();
  let heard = 0;
  for (let call = 0; call < 100; call++) listenForAbort(abort.signal, () => heard++);
  abort.abort();
  // Warnings are emitted on a later turn.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', onWarning);
  expect(heard).toBe(100);
  expect(warnings).toEqual([]);
});
