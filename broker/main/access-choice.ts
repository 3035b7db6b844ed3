/** Who may do what on this node, as its settings say. Beyond loopback, nothing is open by accident. */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeSettings } from '../../proto/model/node-settings.ts';
import { type Authorizer, openAuthorizer } from '../access/authorizer.ts';
import { tokenAuthorizer } from '../access/token-authorizer.ts';
import { hostAndPort } from './addresses.ts';
import type { Machine } from './machine.ts';

/** Throws INVALID_CONFIG if the node would listen to strangers without asking who they are. */
export function chooseAuthorizer(settings: NodeSettings, machine: Machine): Authorizer {
  const text = (name: string): string => settings.get(name) ?? '';
  const file = text('tokens-file');
  const isSecured = file !== '' && text('tls-cert') !== '';
  const open = ['listen', 'peer-listen', 'http-listen'].filter(
    (name) => !hostAndPort(text(name)).isLoopback,
  );
  if (open.length > 0 && !isSecured && text('insecure-listen') !== 'true') {
    throw new HighwaterError(
      'INVALID_CONFIG',
      `${open.join(', ')} listens beyond loopback: give tls-cert, tls-key and tokens-file, or say insecure-listen`,
    );
  }
  return file === '' ? openAuthorizer : tokenAuthorizer(machine.readText(file));
}
