import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Certificates, openCertificates } from '../../../broker/main/certificates.ts';
import { readNodeSettings } from '../../../proto/model/node-settings.ts';
import type { Logger } from '../../../proto/ports/logger.ts';
import { type LogLine, recordingLogger } from '../../proto/link/link-world.ts';

let folder: string;
let lines: LogLine[];
let logger: Logger;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'highwater-certificates-'));
  lines = [];
  logger = recordingLogger(lines);
  place('server', 'server');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

function pem(name: string): string {
  const url = new URL(`../../proto/rpc/grpc/certificates/${name}.pem`, import.meta.url);
  return fileURLToPath(url);
}

function place(certificate: string, key: string): void {
  copyFileSync(pem(certificate), at('node.pem'));
  copyFileSync(pem(`${key}.key`), at('node.key'));
}

function open(more: Record<string, string> = {}) {
  const pair = { 'tls-cert': at('node.pem'), 'tls-key': at('node.key') };
  const read = readNodeSettings(new Map(Object.entries({ ...pair, ...more })));
  if ('refusals' in read) throw new Error(read.refusals.join());
  return openCertificates(read.settings, logger);
}

it('half of TLS is refused, with the name of what is missing', () => {
  expect(() => open({ 'tls-key': '' })).toThrow(/tls-cert and tls-key go together/);
  const none = { 'tls-cert': '', 'tls-key': '' };
  expect(() => open({ ...none, 'tls-ca': pem('authority') })).toThrow(/protects nothing/);
  expect(open(none)).toBeUndefined();
});

it('links beyond loopback are not left in the clear beside TLS for clients, unless that is said', () => {
  const abroad = { 'peer-listen': '0.0.0.0:0' };
  expect(() => open(abroad)).toThrow(/without tls-ca: nodes could not prove themselves/);
  expect(open({ ...abroad, 'insecure-listen': 'true' })).toBeDefined();
  expect(open({ ...abroad, 'tls-ca': pem('authority') })?.first.authority).toBeDefined();
});

it('a key of another certificate, or what is no certificate, is refused at the start', () => {
  place('server', 'alice');
  expect(() => open()).toThrow(/not the key of the chain/);
  writeFileSync(at('node.pem'), 'nonsense');
  expect(() => open()).toThrow(/cannot read the certificates/);
});

it('renewed files are used once they fit together; until then what is in use stays', () => {
  const certificates = open();
  const used: Certificates[] = [];
  certificates?.use((renewed) => used.push(renewed));
  certificates?.renew();
  expect([used, lines]).toEqual([[], []]);

  place('renewed-server', 'server');
  certificates?.renew();
  expect(used).toEqual([]);
  expect(lines.map(({ event }) => event)).toEqual(['certificates-refused']);

  place('renewed-server', 'renewed-server');
  certificates?.renew();
  certificates?.renew();
  expect(used).toHaveLength(1);
  expect(lines.at(-1)?.event).toBe('certificates-renewed');
});
