/**
 * Who may look at the dashboard. On loopback everybody on this machine, as with the other listeners;
 * beyond it only who shows a token, or nobody. It changes nothing in any case.
 *
 * On loopback the name in the Host header must be one of this machine: a page of another site that made
 * its own name point here would otherwise read records through the browser of whoever visits it.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { HighwaterError } from '../../../proto/model/errors.ts';
import type { NodeSettings } from '../../../proto/model/node-settings.ts';
import type { Authorizer, Principal } from '../../access/authorizer.ts';
import { hostAndPort } from '../addresses.ts';

export type DashboardAccess =
  | { readonly kind: 'off'; readonly reason: string }
  | { readonly kind: 'on'; readonly asksForToken: boolean; readonly isLoopback: boolean };

/** As the settings say. */
export function dashboardAccess(settings: NodeSettings): DashboardAccess {
  const choice = settings.get('dashboard') ?? 'auto';
  const { isLoopback } = hostAndPort(settings.get('http-listen') ?? '');
  const asksForToken = (settings.get('tokens-file') ?? '') !== '';
  if (choice === 'off') return { kind: 'off', reason: 'the setting dashboard is off' };
  if (choice === 'auto' && !isLoopback && !asksForToken) {
    const reason = 'beyond loopback it needs tokens-file, or the setting dashboard on';
    return { kind: 'off', reason };
  }
  return { kind: 'on', asksForToken, isLoopback };
}

/** Whether the browser was led here under a name of this machine. */
export function isOwnHost(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').toLowerCase();
  return name === 'localhost' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);
}

/** Who asks; throws UNAUTHENTICATED or PERMISSION_DENIED if that is nobody who may look. */
export function checkReader(authorizer: Authorizer, headers: IncomingHttpHeaders): Principal {
  const { authorization } = headers;
  const principal = authorizer.principalOf({
    headers: authorization === undefined ? {} : { authorization },
    remote: '',
    certificateSubject: undefined,
    signal: new AbortController().signal,
    deadlineMs: 0,
  });
  authorizer.authorize(principal, 'read', { kind: 'cluster' });
  return principal;
}

/** The token that a browser sent, to be shown to brokers in its name. */
export function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers;
  return authorization?.startsWith('Bearer ') === true ? authorization.slice(7) : undefined;
}

/** The status that says the same in HTTP. */
export function httpStatusOf(error: HighwaterError): number {
  if (error.code === 'UNAUTHENTICATED') return 401;
  if (error.code === 'PERMISSION_DENIED') return 403;
  if (error.code === 'UNKNOWN_TOPIC' || error.code === 'UNKNOWN_PARTITION') return 404;
  return error.code.startsWith('INVALID') ? 400 : 503;
}
