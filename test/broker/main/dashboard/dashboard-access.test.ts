import { describe, expect, it } from 'vitest';
import { tokenAuthorizer } from '../../../../broker/access/token-authorizer.ts';
import {
  checkReader,
  dashboardAccess,
  isOwnHost,
} from '../../../../broker/main/dashboard/dashboard-access.ts';

const settings = (given: Record<string, string>) =>
  new Map(Object.entries({ 'http-listen': '127.0.0.1:9094', ...given }));

describe('the dashboard', () => {
  it('is open on loopback, and asks for a token where the node has tokens', () => {
    expect(dashboardAccess(settings({}))).toMatchObject({ kind: 'on', asksForToken: false });
    expect(dashboardAccess(settings({ 'tokens-file': 't' }))).toMatchObject({ asksForToken: true });
  });

  it('is off beyond loopback unless somebody is asked who he is, or the operator says on', () => {
    const open = { 'http-listen': '0.0.0.0:9094' };
    expect(dashboardAccess(settings(open)).kind).toBe('off');
    expect(dashboardAccess(settings({ ...open, 'tokens-file': 't' })).kind).toBe('on');
    expect(dashboardAccess(settings({ ...open, dashboard: 'on' })).kind).toBe('on');
    expect(dashboardAccess(settings({ dashboard: 'off' })).kind).toBe('off');
  });

  it('is read by whoever may read the cluster', () => {
    const tokens = tokenAuthorizer('good anna read\n');
    expect(checkReader(tokens, { authorization: 'Bearer good' }).name).toBe('anna');
    expect(() => checkReader(tokens, {})).toThrow(/bearer token/);
  });

  it('answers under the names of this machine only', () => {
    for (const host of ['localhost:9094', '127.0.0.1:1', '[::1]:80', '127.1.2.3'])
      expect(isOwnHost(host), host).toBe(true);
    for (const host of [undefined, 'evil.test', '127.0.0.1.evil.test:9094', '10.0.0.1'])
      expect(isOwnHost(host), host).toBe(false);
  });
});
