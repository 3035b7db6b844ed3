/** A network in which nobody can be reached. */
import type { LinkEndpoint } from '../../proto/ports/link.ts';

/** Listens, and opens nothing: for parts that are tested without peers. */
export const noPeers: LinkEndpoint = {
  listen: (_, port) => Promise.resolve(port),
  accept() {},
  open() {
    throw new Error('no peer has an address');
  },
  watch() {},
  close: () => Promise.resolve(),
};
