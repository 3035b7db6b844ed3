import { ServerCredentials } from '@grpc/grpc-js';
import { HighwaterError } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';

/** What a server shows and whom it lets in. PEM bytes. */
export interface ServerTls {
  /** Certificate chain, leaf first. */
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** With it every client must show a certificate that one of these authorities signed. */
  readonly clientAuthority?: Buffer;
}

/**
 * TLS credentials that can be renewed without a restart: connections made afterwards use them.
 *
 * A client certificate is either required and verified in the handshake or not asked for at all. There
 * is no mode that asks for one and lets the handler decide: an unauthorised certificate would look
 * like an authorised one to whoever forgets to check.
 */
export class ReloadableServerCredentials extends ServerCredentials {
  readonly #asksForCertificate: boolean;

  constructor(tls: ServerTls) {
    const asksForCertificate = tls.clientAuthority !== undefined;
    super(
      {
        requestCert: asksForCertificate,
        rejectUnauthorized: asksForCertificate,
        minVersion: 'TLSv1.2',
        handshakeTimeout: limits.rpcHandshakeMsMax,
      },
      contextOf(tls),
    );
    this.#asksForCertificate = asksForCertificate;
  }

  /** Whether clients must show a certificate is fixed when the server starts. */
  reload(tls: ServerTls): void {
    if ((tls.clientAuthority !== undefined) !== this.#asksForCertificate) {
      throw new HighwaterError(
        'INVALID_CONFIG',
        'whether clients need a certificate cannot change without a restart',
      );
    }
    this.updateSecureContextOptions(contextOf(tls));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function contextOf(tls: ServerTls) {
  return {
    cert: tls.certificate,
    key: tls.key,
    ...(tls.clientAuthority === undefined ? {} : { ca: tls.clientAuthority }),
  };
}
