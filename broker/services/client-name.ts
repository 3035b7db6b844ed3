/** Names that clients choose for themselves and their groups (row F20). */
import { HighwaterError } from '../../proto/model/errors.ts';
import { limits } from '../../proto/model/limits.ts';

/** Refuses a name that is too long, or that would do something to the terminal it is printed on. */
export function checkClientName(what: string, name: string, least: 0 | 1): void {
  const bytes = Buffer.byteLength(name);
  if (bytes < least || bytes > limits.clientIdBytesMax)
    throw new HighwaterError(
      'INVALID_REQUEST',
      `a ${what} of ${bytes} bytes; expected ${least} to ${limits.clientIdBytesMax}`,
      { outcome: 'not-written' },
    );
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at);
    if (unit >= 0x20 && (unit < 0x7f || unit > 0x9f)) continue;
    throw new HighwaterError(
      'INVALID_REQUEST',
      `a ${what} with the control character ${JSON.stringify(name[at])} at ${at}`,
      { outcome: 'not-written' },
    );
  }
}
