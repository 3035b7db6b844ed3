/**
 * Bearer tokens from a file, or the subject of a verified client certificate. A line of the file is
 * `token principal role,role`; a certificate's subject is looked up as `cert:<subject>`, which is no
 * token: subjects are no secret.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { HighwaterError } from '../../proto/model/errors.ts';
import { type Authorizer, authorizeByRole, type Principal } from './authorizer.ts';

const certificatePrefix = 'cert:';
const roles = new Set(['admin', 'produce', 'consume', 'read']);

interface TokenEntry {
  readonly digest: Buffer;
  readonly principal: Principal;
}

/** Reads the text of a tokens file; throws INVALID_CONFIG with the line that is wrong. */
export function tokenAuthorizer(text: string): Authorizer {
  const entries = text.split('\n').flatMap((line, index) => entryOf(line.trim(), index + 1));
  return {
    principalOf(context) {
      const header = context.headers['authorization'] ?? '';
      const shown = header.startsWith('Bearer ') ? header.slice(7) : undefined;
      const token = shown?.startsWith(certificatePrefix) === true ? undefined : shown;
      const { certificateSubject } = context;
      const subject =
        certificateSubject === undefined ? undefined : `${certificatePrefix}${certificateSubject}`;
      const found = find(entries, token) ?? find(entries, subject);
      if (found === undefined) {
        throw new HighwaterError(
          'UNAUTHENTICATED',
          'this node asks for a bearer token or a known client certificate',
        );
      }
      return found;
    },
    authorize: authorizeByRole,
  };
}

function entryOf(line: string, number: number): TokenEntry[] {
  if (line === '' || line.startsWith('#')) return [];
  const [token, name, list, ...rest] = line.split(/\s+/);
  const given = new Set(list?.split(',') ?? []);
  const isGood =
    token !== undefined &&
    name !== undefined &&
    rest.length === 0 &&
    given.size > 0 &&
    [...given].every((role) => roles.has(role));
  if (!isGood) {
    throw new HighwaterError(
      'INVALID_CONFIG',
      `tokens file, line ${number}: expected "token principal role,role" with roles ${[...roles].join(', ')}`,
    );
  }
  return [{ digest: digestOf(token), principal: { name, roles: given } }];
}

/** Compares digests in constant time, and every one of them, so that time tells nothing. */
function find(entries: readonly TokenEntry[], token: string | undefined): Principal | undefined {
  if (token === undefined) return undefined;
  const digest = digestOf(token);
  let found: Principal | undefined;
  for (const entry of entries) if (timingSafeEqual(entry.digest, digest)) found = entry.principal;
  return found;
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
