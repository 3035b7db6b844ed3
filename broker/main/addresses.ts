/** Addresses as the settings write them. */
import { HighwaterError } from '../../proto/model/errors.ts';
import { nodeId } from '../../proto/model/ids.ts';
import type { PeerAddress } from '../../proto/ports/link.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, `[::1]:port`. */
export function hostAndPort(text: string): Address & { readonly isLoopback: boolean } {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = Number(text.slice(colon + 1));
  if (colon < 0 || !Number.isInteger(port) || port > 65_535) {
    throw new HighwaterError(
      'INVALID_CONFIG',
      `address ${JSON.stringify(text)}: expected host:port with a port from 0 to 65535`,
    );
  }
  return {
    host,
    port,
    isLoopback: host === 'localhost' || host === '::1' || host.startsWith('127.'),
  };
}

/** `1@host:port,2@host:port`. */
export function parseQuorum(text: string): PeerAddress[] {
  const voters = text.split(',').map((item) => {
    const at = item.indexOf('@');
    const { host, port } = hostAndPort(item.slice(at + 1));
    return { nodeId: nodeId(Number(item.slice(0, at))), host, port };
  });
  if (new Set(voters.map((voter) => voter.nodeId)).size < voters.length) {
    throw new HighwaterError('INVALID_CONFIG', `quorum ${JSON.stringify(text)} names a node twice`);
  }
  return voters;
}

/** What others are told: the advertised address if one is set, else where it listens. */
export function advertised(setting: string, at: Address, port: number): Address {
  return setting === '' ? { host: at.host, port } : hostAndPort(setting);
}

/** `host:port`; nothing for a role that the node does not have. */
export function addressText(address: Address | undefined): string {
  return address === undefined ? '' : `${address.host}:${address.port}`;
}
