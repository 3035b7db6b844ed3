/** Processes that speak TLS and ask for tokens: who is let in, and what each role may do. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ConnectOptions, connect } from '../../client/index.ts';
import { ProcessCluster } from '../support/process-cluster.ts';

const folder = mkdtempSync(join(tmpdir(), 'highwater-tls-'));
const at = (name: string): string => join(folder, name);
let cluster: ProcessCluster;

beforeAll(async () => {
  makeAuthority('authority');
  makeAuthority('other');
  makeCertificate('node', 'authority');
  writeFileSync(
    at('tokens'),
    [
      '# token principal roles',
      'admin-secret operator admin,produce,read,consume',
      'write-secret shop produce,read',
      'read-secret report read,consume',
    ].join('\n'),
  );
  cluster = await ProcessCluster.start({
    nodes: 3,
    settings: {
      'tls-cert': at('node.pem'),
      'tls-key': at('node.key'),
      'tls-ca': at('authority.pem'),
      'tls-client-auth': 'none',
      'tokens-file': at('tokens'),
    },
  });
  await using operator = await client({ token: 'admin-secret' });
  await operator.admin.createTopic({ name: 'orders', partitions: 1, replicationFactor: 3 });
});

afterAll(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

function client(options: Partial<ConnectOptions>): ReturnType<typeof connect> {
  const tls = { authority: readFileSync(at('authority.pem')) };
  return connect({ brokers: cluster.brokers, connectTimeoutMs: 3_000, tls, ...options });
}

it('a producer writes and a reader reads, over TLS and with a token each', async () => {
  await using shop = await client({ token: 'write-secret' });
  await using report = await client({ token: 'read-secret' });
  await shop.producer({ acks: 'all' }).send({ topic: 'orders', value: 'book' });
  const values: string[] = [];
  for await (const record of report.reader({ topic: 'orders', from: 'earliest', to: 'latest' }))
    values.push(record.text());
  expect(values).toEqual(['book']);
});

it('who may read may not write, and who may write may not administrate', async () => {
  await using report = await client({ token: 'read-secret' });
  const sent = report.producer({ idempotent: false }).send({ topic: 'orders', value: 'x' });
  await expect(sent).rejects.toMatchObject({ code: 'PERMISSION_DENIED', outcome: 'not-written' });
  const idempotent = report.producer().send({ topic: 'orders', value: 'x' });
  await expect(idempotent).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  await using shop = await client({ token: 'write-secret' });
  await expect(shop.admin.deleteTopic('orders')).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
  });
});

it('a wrong authority, no TLS, no token and a wrong token are refused', async () => {
  const other = { authority: readFileSync(at('other.pem')) };
  await expect(client({ token: 'admin-secret', tls: other })).rejects.toMatchObject({
    code: 'CONNECTION_LOST',
  });
  await expect(
    connect({ brokers: cluster.brokers, connectTimeoutMs: 1_000, token: 'admin-secret' }),
  ).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  await expect(client({})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  await expect(client({ token: 'guessed' })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

it('renewed certificates are shown on both ports without a restart, and the cluster goes on', async () => {
  const ports = cluster.nodes.flatMap((node) => [node.grpc, node.peer]);
  const before = await Promise.all(ports.map(shownAt));
  expect(new Set(before).size).toBe(1);
  makeCertificate('renewed', 'authority');
  copyFileSync(at('renewed.key'), at('node.key'));
  copyFileSync(at('renewed.pem'), at('node.pem'));
  for (const { pid } of cluster.nodes) process.kill(pid, 'SIGHUP');
  const renewed = new X509Certificate(readFileSync(at('renewed.pem'))).fingerprint256;
  await expect
    .poll(async () => new Set(await Promise.all(ports.map(shownAt))), { timeout: 20_000 })
    .toEqual(new Set([renewed]));
  await cluster.node(3).kill('SIGKILL');
  cluster.node(3).start();
  await cluster.node(3).ready();
  await using shop = await client({ token: 'write-secret' });
  const { storedBy } = await shop.producer({ acks: 'all' }).send({ topic: 'orders', value: 'pen' });
  expect(storedBy.length).toBeGreaterThanOrEqual(2);
});

/** The certificate that is shown at an address, whether it lets strangers in or not. */
function shownAt(address: string): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connectTls(
      { host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['h2'] },
      () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      },
    );
    socket.on('error', reject);
  });
}

function makeAuthority(name: string): void {
  openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-days', '2', '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`)],
    ...['-out', at(`${name}.pem`)],
  );
}

function makeCertificate(name: string, authority: string): void {
  openssl(
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`)],
  );
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  openssl(
    ...['x509', '-req', '-in', at(`${name}.csr`), '-days', '2', '-CAcreateserial'],
    ...['-CA', at(`${authority}.pem`), '-CAkey', at(`${authority}.key`)],
    ...['-extfile', at('names'), '-out', at(`${name}.pem`)],
  );
}

function openssl(...words: string[]): void {
  execFileSync('openssl', words, { stdio: 'pipe' });
}
