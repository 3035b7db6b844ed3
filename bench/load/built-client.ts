/** The client as it is shipped: compiled, not through the loader that runs the benches. */
import type { Client, connect as Connect } from '../../client/index.ts';

type Package = { readonly connect: typeof Connect };

/** Connects with the package below `dist`. */
export async function connectBuilt(brokers: readonly string[]): Promise<Client> {
  const path = new URL('../../dist/client/index.js', import.meta.url).href;
  const { connect } = (await import(path)) as Package;
  return connect({ brokers });
}
