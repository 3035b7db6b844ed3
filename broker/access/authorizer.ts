/**
 * Who may do what: one question asked by every RPC and by the HTTP side. A refusal does not tell a
 * hidden topic from a missing one (row F24).
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { RpcCallContext } from '../../proto/ports/rpc.ts';

/** What is done. `read` is metadata and offsets; `consume` also joins groups and commits. */
export type Operation = 'admin' | 'produce' | 'consume' | 'read';

/** What it is done to. */
export type Resource =
  | { readonly kind: 'cluster' }
  | { readonly kind: 'topic'; readonly name: string }
  | { readonly kind: 'group'; readonly name: string };

export interface Principal {
  readonly name: string;
  readonly roles: ReadonlySet<string>;
}

export interface Authorizer {
  /** Who calls; throws UNAUTHENTICATED if that is not known and has to be. */
  principalOf(context: RpcCallContext): Principal;
  /** Throws PERMISSION_DENIED unless the principal may do this. */
  authorize(principal: Principal, operation: Operation, resource: Resource): void;
}

const everybody: Principal = { name: 'anonymous', roles: new Set(['admin']) };

/** No credentials are asked for: a node that listens on loopback only, or was told so. */
export const openAuthorizer: Authorizer = {
  principalOf: (context) =>
    context.certificateSubject === undefined
      ? everybody
      : { name: context.certificateSubject, roles: everybody.roles },
  authorize() {},
};

/** Each role and what it includes. */
const included: Readonly<Record<string, readonly Operation[]>> = {
  admin: ['admin', 'produce', 'consume', 'read'],
  produce: ['produce', 'read'],
  consume: ['consume', 'read'],
  read: ['read'],
};

/** Roles decide, whatever the resource. */
export function authorizeByRole(
  principal: Principal,
  operation: Operation,
  resource: Resource,
): void {
  for (const role of principal.roles) if (included[role]?.includes(operation) === true) return;
  const what = resource.kind === 'cluster' ? 'the cluster' : `${resource.kind} ${resource.name}`;
  throw new HighwaterError(
    'PERMISSION_DENIED',
    `${principal.name} may not ${operation} on ${what}`,
    {
      facts: { principal: principal.name, operation },
    },
  );
}
