/** The metadata as a test lets a broker know it. */
import type { MetadataSource } from '../../../broker/services/metadata-source.ts';
import type { MetadataImage } from '../../../proto/metadata/image.ts';
import { RecentImages } from '../../../proto/metadata/recent-images.ts';
import { type Revision, term } from '../../../proto/model/offset.ts';
import { clusterOf } from '../../proto/metadata/metadata-builders.ts';

export class KnownMetadata implements MetadataSource {
  image: MetadataImage = clusterOf(1, 2);
  isStale = false;
  readonly activeController = undefined;
  readonly term = term(1);
  readonly #recent = new RecentImages();
  readonly #watchers = new Set<() => void>();

  imageAt(at: Revision): MetadataImage | undefined {
    return this.#recent.at(at);
  }

  watch(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  take(image: MetadataImage): void {
    this.image = image;
    this.#recent.add(image, 100);
    this.told();
  }

  told(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
