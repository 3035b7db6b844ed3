/** The latest image and what goes with it, for the services that tell clients. */
import type { MetadataImage } from '../../proto/metadata/image.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { Term } from '../../proto/model/offset.ts';
import type { MembershipDriver } from '../membership/membership-driver.ts';
import type { MetadataSource } from '../services/metadata-service.ts';

export class ImageSource implements MetadataSource {
  readonly #image: () => MetadataImage;
  readonly #membership: MembershipDriver;
  readonly #watchers = new Set<() => void>();

  constructor(image: () => MetadataImage, membership: MembershipDriver) {
    this.#image = image;
    this.#membership = membership;
  }

  get image(): MetadataImage {
    return this.#image();
  }

  get isStale(): boolean {
    return !this.#membership.isLeaseHeld;
  }

  get activeController(): NodeId | undefined {
    return this.#membership.activeController;
  }

  get term(): Term {
    return this.#membership.term;
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
