import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { createTcpNetwork, type LinkCredentials } from '../../../../proto/link/node/tcp-network.ts';
import { nodeClock } from '../../../../proto/ports/node/node-clock.ts';
import { describeLifecycle } from '../lifecycle-conformance.ts';
import { acceptAll, type LinkWorld, recorder, recordingLogger } from '../link-world.ts';
import { describeStreams } from '../stream-conformance.ts';
import { createTcpWorld, until } from '../tcp-world.ts';

const read = (name: string) => readFileSync(new URL(`certificates/${name}`, import.meta.url));

function credentials(name: 'node' | 'stranger'): LinkCredentials {
  return {
    key: read(`${name}.key`),
    certificate: read(`${name}.pem`),
    authority: read(name === 'node' ? 'authority.pem' : 'foreign-authority.pem'),
    serverName: 'highwater-node',
  };
}

describeStreams('mutual TLS', () => createTcpWorld(() => credentials('node')));
describeLifecycle('mutual TLS', () => createTcpWorld(() => credentials('node')));

describe('mutual TLS keeps strangers out', () => {
  const worlds: LinkWorld[] = [];
  afterEach(async () => {
    await Promise.all(worlds.splice(0).map((world) => world.close()));
  });
  const worldOf = (own?: (node: number) => LinkCredentials): LinkWorld => {
    const world = createTcpWorld(own);
    worlds.push(world);
    return world;
  };

  test('a dialler with a certificate of another authority is closed before its hello is read', async () => {
    const target = await worldOf(() => credentials('node')).node(2);
    // It trusts the target, so only the target's check can refuse it.
    const dialler = { ...credentials('stranger'), authority: read('authority.pem') };
    const stranger = await worldOf(() => dialler).node(1);
    const accepted = acceptAll(target, 'control');
    const seen = recorder();
    stranger.endpoint.open(target.address, 'control', seen).send(Buffer.from('x'));
    await until(() => seen.closed.length === 1);
    const refusals = () => target.lines.filter((line) => line.event === 'link-refused');
    await until(() => refusals().length > 0);
    // In TLS 1.3 the dialler believes itself secured before the other side has judged it.
    expect([seen.closed, seen.opened]).toEqual([['closed'], []]);
    expect(refusals()[0]?.fields['reason']).toBe('mismatch');
    expect(accepted).toEqual([]);
  });

  test('a listener with a certificate of another authority is a mismatch for the dialler', async () => {
    const impostor = await worldOf(() => credentials('stranger')).node(2);
    const node = await worldOf(() => credentials('node')).node(1);
    const seen = recorder();
    node.endpoint.open(impostor.address, 'control', seen);
    await until(() => seen.closed.length === 1);
    expect(seen.closed).toEqual(['mismatch']);
  });

  test('a certificate of the right authority for another name is a mismatch', async () => {
    const target = await worldOf(() => credentials('node')).node(2);
    const picky = { ...credentials('node'), serverName: 'another-cluster' };
    const node = await worldOf(() => picky).node(1);
    const seen = recorder();
    node.endpoint.open(target.address, 'control', seen);
    await until(() => seen.closed.length === 1);
    expect(seen.closed).toEqual(['mismatch']);
  });

  test('plain to TLS and TLS to plain never become links', async () => {
    const secured = await worldOf(() => credentials('node')).node(2);
    const plain = await worldOf().node(1);
    const accepted = [...acceptAll(secured, 'control'), ...acceptAll(plain, 'control')];
    const [toSecured, toPlain] = [recorder(), recorder()];
    plain.endpoint.open(secured.address, 'control', toSecured).send(Buffer.from('x'));
    secured.endpoint.open(plain.address, 'control', toPlain).send(Buffer.from('x'));
    await until(() => toSecured.closed.length === 1 && toPlain.closed.length === 1);
    expect(accepted).toEqual([]);
    expect([toSecured.opened, toPlain.opened]).toEqual([[], []]);
    expect(['protocol', 'closed', 'mismatch']).toContain(toSecured.closed[0]);
    expect(['closed', 'mismatch']).toContain(toPlain.closed[0]);
  });

  test.each([
    ['without a certificate', { minVersion: 'TLSv1.2' as const }],
    [
      'below TLS 1.2',
      { ...keyPair('node'), maxVersion: 'TLSv1.1' as const, minVersion: 'TLSv1' as const },
    ],
  ])('a TLS client %s is closed without a hello', async (_what, options) => {
    const target = await worldOf(() => credentials('node')).node(2);
    const got: Buffer[] = [];
    await new Promise<void>((resolve) => {
      const socket = tls.connect({
        port: target.address.port,
        rejectUnauthorized: false,
        ...options,
      });
      socket.on('data', (chunk: Buffer) => got.push(chunk));
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
    expect(got).toEqual([]);
    await until(() => target.lines.some((line) => line.event === 'link-refused'));
  });

  test('renewed credentials are shown to whoever connects from then on', async () => {
    const network = createTcpNetwork({
      clock: nodeClock,
      logger: recordingLogger([]),
      credentials: credentials('node'),
    });
    const handlers = {
      onOpen() {},
      onBytes() {},
      space: () => undefined,
      onFilled() {},
      onClose() {},
    };
    const listener = await network.listen('127.0.0.1', 0, () => handlers);
    const shown = () =>
      new Promise<string>((resolve) => {
        const options = { port: listener.port, rejectUnauthorized: false, ...keyPair('node') };
        const socket = tls.connect(options, () => {
          resolve(socket.getPeerCertificate().fingerprint);
          socket.destroy();
        });
        socket.on('error', () => {});
      });
    const before = await shown();
    expect(await shown()).toBe(before);
    network.renew({ ...credentials('stranger'), authority: read('authority.pem') });
    expect(await shown()).not.toBe(before);
    await listener.close();
  });

  test('an unfinished handshake harms nobody else', async () => {
    const world = worldOf(() => credentials('node'));
    const [node, target] = [await world.node(1), await world.node(2)];
    const accepted = acceptAll(target, 'control');
    const idle = Array.from({ length: 50 }, () => net.connect(target.address.port, '127.0.0.1'));
    node.endpoint.open(target.address, 'control', recorder()).send(Buffer.from('x'));
    await until(() => accepted[0]?.seen.frames.length === 1);
    for (const socket of idle) socket.destroy();
  });
});

function keyPair(name: 'node'): tls.SecureContextOptions {
  return { key: read(`${name}.key`), cert: read(`${name}.pem`) };
}
