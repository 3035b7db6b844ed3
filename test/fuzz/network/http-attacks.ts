/** Attacks on the port for health, metrics and the dashboard. */
import { mutate } from '../mutate.ts';
import type { FuzzRandom } from '../random.ts';
import { type Battlefield, oneOf, several, throwAt } from './attack.ts';

const paths = ['/', '/readyz', '/metrics', '/api/overview', '/%2e%2e/%2e%2e/etc/passwd', '//', '*'];
const methods = ['GET', 'POST', 'PUT', 'OPTIONS', 'CONNECT', 'BREW'];

/** Requests that are cut, damaged, endless, or many in one. */
export async function requests({ httpPort }: Battlefield, random: FuzzRandom): Promise<void> {
  await throwAt(
    httpPort,
    several(1 + random.below(10), () => {
      const text = Buffer.from(request(random));
      return random.below(3) === 0 ? text : mutate(text, random);
    }),
  );
}

function request(random: FuzzRandom): string {
  const path = oneOf(random, paths).repeat(1 + random.below(random.below(20) === 0 ? 5_000 : 3));
  const headers = several(random.below(8), () =>
    oneOf(random, [
      'Host: x',
      'Content-Length: 99999999999',
      'Transfer-Encoding: chunked',
      'Connection: Upgrade\r\nUpgrade: websocket',
      'Range: bytes=-1',
      `X-Long: ${'y'.repeat(random.below(20_000))}`,
      'Authorization: Bearer \u0000',
    ]),
  );
  return `${oneOf(random, methods)} ${path} HTTP/1.1\r\n${headers.map((one) => `${one}\r\n`).join('')}\r\n`;
}
