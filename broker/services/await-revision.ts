/** Waiting until this broker's image of the metadata has come as far as a revision. */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { Revision } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { MetadataSource } from './metadata-source.ts';

/** Rejects with STALE_METADATA if the revision has not arrived by then. */
export function awaitRevision(
  { source, clock }: { readonly source: MetadataSource; readonly clock: Clock },
  wanted: Revision,
  giveUpMs: number,
): Promise<void> {
  if (source.image.revision >= wanted) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const stop = source.watch(() => {
      if (source.image.revision < wanted) return;
      stop();
      timer.cancel();
      resolve();
    });
    const timer = clock.after(Math.max(0, giveUpMs - clock.now()), () => {
      stop();
      const facts = { revision: source.image.revision, minRevision: wanted };
      reject(
        new HighwaterError('STALE_METADATA', 'the revision asked for has not arrived here', {
          facts,
        }),
      );
    });
  });
}
