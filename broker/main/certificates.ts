/**
 * The PEM files that a node's settings name: read at the start, and again whenever they may have been
 * renewed. Connections made after a renewal use what was read last; those that are open stay.
 *
 * Invariant: what is in use always fits together. Files are replaced one after the other, so a pair
 * that does not fit is left alone, and the next look finds the whole of it.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeSettings } from '../../proto/model/node-settings.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import { hostAndPort } from './addresses.ts';

export interface Certificates {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** Who may connect; undefined where nodes do not prove themselves to each other. */
  readonly authority: Buffer | undefined;
}

export interface NodeCertificates {
  readonly first: Certificates;
  /** Calls back with what was renewed. */
  use(renewed: (certificates: Certificates) => void): void;
  /** Looks at the files again. */
  renew(): void;
}

/** Undefined for a node without TLS. Throws INVALID_CONFIG for settings that would protect half of it. */
export function openCertificates(
  settings: NodeSettings,
  logger: Logger,
): NodeCertificates | undefined {
  const fault = faultOf(settings);
  if (fault !== undefined) throw new HighwaterError('INVALID_CONFIG', fault);
  if (text(settings, 'tls-cert') === '') return undefined;
  const first = read(settings);
  let current = first;
  const users = new Set<(certificates: Certificates) => void>();
  return {
    first,
    use: (renewed) => users.add(renewed),
    renew() {
      try {
        const found = read(settings);
        if (isSame(found, current)) return;
        for (const renewed of users) renewed(found);
        current = found;
        const { subject, validTo } = new X509Certificate(found.certificate);
        logger.info('certificates-renewed', 'Connections from here on use renewed certificates.', {
          subject,
          validTo,
        });
      } catch (caught) {
        const { message } = HighwaterError.from(caught);
        const said = 'The certificates that are in use stay: those in the files cannot be used.';
        logger.warn('certificates-refused', said, { message });
      }
    },
  };
}

/** Half of TLS is none: each of these would leave something plain that looks protected. */
function faultOf(settings: NodeSettings): string | undefined {
  const [certificate, key, authority] = ['tls-cert', 'tls-key', 'tls-ca'].map((name) =>
    text(settings, name),
  );
  if ((certificate === '') !== (key === ''))
    return 'tls-cert and tls-key go together: one of them is not given';
  if (certificate === '' && authority !== '')
    return 'tls-ca without tls-cert and tls-key protects nothing: give all three';
  const isAlone = hostAndPort(text(settings, 'peer-listen')).isLoopback;
  if (certificate === '' || authority !== '' || isAlone) return undefined;
  return text(settings, 'insecure-listen') === 'true'
    ? undefined
    : 'peer-listen beyond loopback without tls-ca: nodes could not prove themselves to each other and would speak in the clear; give tls-ca (and tls-client-auth none, if clients are to need no certificate), or say insecure-listen';
}

function read(settings: NodeSettings): Certificates {
  const file = (name: string): Buffer => readFileSync(text(settings, name));
  let found: Certificates;
  let fits: boolean;
  try {
    found = {
      certificate: file('tls-cert'),
      key: file('tls-key'),
      authority: text(settings, 'tls-ca') === '' ? undefined : file('tls-ca'),
    };
    fits = new X509Certificate(found.certificate).checkPrivateKey(createPrivateKey(found.key));
  } catch (cause) {
    throw new HighwaterError(
      'INVALID_CONFIG',
      `cannot read the certificates that tls-cert, tls-key and tls-ca name: ${String(cause)}`,
      { cause },
    );
  }
  if (!fits)
    throw new HighwaterError('INVALID_CONFIG', 'tls-key is not the key of the chain in tls-cert');
  return found;
}

function isSame(one: Certificates, other: Certificates): boolean {
  return (
    one.certificate.equals(other.certificate) &&
    one.key.equals(other.key) &&
    (one.authority === other.authority ||
      (other.authority !== undefined && one.authority?.equals(other.authority) === true))
  );
}

function text(settings: NodeSettings, name: string): string {
  return settings.get(name) ?? '';
}
