/** The broker's view of the cluster, as the services need it. */
import type { MetadataImage } from '../../proto/metadata/image.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { Revision, Term } from '../../proto/model/offset.ts';

export interface MetadataSource {
  readonly image: MetadataImage;
  /** An earlier image, where it is still kept. */
  imageAt(revision: Revision): MetadataImage | undefined;
  /** The broker has lost touch with the controllers: what it says may be old. */
  readonly isStale: boolean;
  readonly activeController: NodeId | undefined;
  /** The quorum's term as the active controller told it last. */
  readonly term: Term;
  /** Calls back after each change of any of these. Returns how to stop that. */
  watch(callback: () => void): () => void;
}
