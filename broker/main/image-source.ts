/** The latest image and what goes with it, for the services that tell clients. */
import type { MetadataImage } from '../../proto/metadata/image.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { MetadataSource } from '../services/metadata-service.ts';

export class ImageSource implements MetadataSource {
  readonly #image: () => MetadataImage;
  readonly #activeController: () => NodeId | undefined;
  readonly #isStale: () => boolean;
  readonly #watchers = new Set<() => void>();

  constructor(
    image: () => MetadataImage,
    activeController: () => NodeId | undefined,
    isStale: () => boolean,
  ) {
    this.#image = image;
    this.#activeController = activeController;
    this.#isStale = isStale;
  }

  get image(): MetadataImage {
    return this.#image();
  }

  get isStale(): boolean {
    return this.#isStale();
  }

  get activeController(): NodeId | undefined {
    return this.#activeController();
  }

  watch(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  /** Something of the above is different. */
  changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
