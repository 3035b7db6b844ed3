/** The latest image and what goes with it, for the services that tell clients. */
import type { MetadataImage } from '../../proto/metadata/image.ts';
import { RecentImages } from '../../proto/metadata/recent-images.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { Revision, Term } from '../../proto/model/offset.ts';
import type { MembershipDriver } from '../membership/membership-driver.ts';
import type { ImageChange } from '../membership/metadata-follower.ts';
import type { MetadataSource } from '../services/metadata-source.ts';

export class ImageSource implements MetadataSource {
  readonly #image: () => MetadataImage;
  readonly #membership: MembershipDriver;
  readonly #watchers = new Set<() => void>();
  readonly #recent = new RecentImages();

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

  /** By this node's clock: from here on nothing that rests on the lease alone is acknowledged. */
  get leaseUntilMs(): number {
    return this.#membership.leaseUntilMs;
  }

  get activeController(): NodeId | undefined {
    return this.#membership.activeController;
  }

  get term(): Term {
    return this.#membership.term;
  }

  imageAt(revision: Revision): MetadataImage | undefined {
    return this.#recent.at(revision);
  }

  watch(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  /** An image came; it is told with the next `changed`. */
  took(image: MetadataImage, { bytes, isSnapshot }: ImageChange): void {
    if (isSnapshot) this.#recent.restart(image);
    else this.#recent.add(image, bytes);
  }

  /** Something of the above is different. */
  changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
