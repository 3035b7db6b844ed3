import { describe, expect, test } from 'vitest';
import { tokenAuthorizer } from '../../../broker/access/token-authorizer.ts';
import type { RpcCallContext } from '../../../proto/ports/rpc.ts';

/** A call that shows these. */
function call(shown: { authorization?: string; certificateSubject?: string }): RpcCallContext {
  const { authorization, certificateSubject } = shown;
  return {
    headers: authorization === undefined ? {} : { authorization },
    remote: '127.0.0.1:1',
    certificateSubject,
    signal: new AbortController().signal,
    deadlineMs: 1_000,
  };
}

describe('a tokens file with a certificate', () => {
  const authorizer = tokenAuthorizer('secret bert read\ncert:CN=anna,O=example anna admin\n');

  test('knows who shows the certificate', () => {
    const principal = authorizer.principalOf(call({ certificateSubject: 'CN=anna,O=example' }));
    expect(principal.name).toBe('anna');
  });

  test('takes the name of the certificate for no token', () => {
    const authorization = 'Bearer cert:CN=anna,O=example';
    const impostor = (): unknown => authorizer.principalOf(call({ authorization }));
    expect(impostor).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
    const certified = call({ authorization, certificateSubject: 'CN=carl' });
    expect(() => authorizer.principalOf(certified)).toThrow(
      expect.objectContaining({ code: 'UNAUTHENTICATED' }),
    );
  });

  test('knows who shows a token', () => {
    expect(authorizer.principalOf(call({ authorization: 'Bearer secret' })).name).toBe('bert');
  });
});
