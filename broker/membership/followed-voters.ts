/**
 * Keeps a broker in touch with the controllers that the metadata names as voters, whoever they are by
 * now. Those of the settings are spoken to as well: after a quorum was lost and recovered, they are
 * where it may be found. Metadata is followed from voters alone: a removed one hears of nothing.
 */
import type { MetadataImage } from '../../proto/metadata/image.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { PeerAddress } from '../../proto/ports/link.ts';
import type { ControllerLinks } from './controller-links.ts';
import type { MembershipDriver } from './membership-driver.ts';
import type { MetadataFollower } from './metadata-follower.ts';

export interface FollowedVotersOptions {
  readonly self: NodeId;
  /** Of the settings. */
  readonly controllers: readonly PeerAddress[];
  readonly links: ControllerLinks;
  readonly metadata: MetadataFollower;
  readonly membership: MembershipDriver;
}

export class FollowedVoters {
  readonly #options: FollowedVotersOptions;
  #voters: MetadataImage['voters'] = [];

  constructor(options: FollowedVotersOptions) {
    this.#options = options;
  }

  /** Follows the voters of an image. */
  follow({ voters }: MetadataImage): void {
    if (voters === this.#voters) return;
    this.#voters = voters;
    const { self, controllers, links, metadata, membership } = this.#options;
    const others = controllers.filter(
      (one) => !voters.some((voter) => voter.nodeId === one.nodeId),
    );
    metadata.follow(ownFirst(voters, self));
    links.follow([...voters, ...others]);
    membership.controllersChanged();
  }
}

/** The controller in the own process is asked first: it dies with this one. */
export function ownFirst(controllers: readonly PeerAddress[], self: NodeId): PeerAddress[] {
  return [
    ...controllers.filter(({ nodeId }) => nodeId === self),
    ...controllers.filter(({ nodeId }) => nodeId !== self),
  ];
}
