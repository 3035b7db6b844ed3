import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HighwaterError } from '../../../../proto/model/errors.ts';
import { type ClientTls, GrpcConnector } from '../../../../proto/rpc/grpc/connector.ts';
import type { ServerTls } from '../../../../proto/rpc/grpc/server-credentials.ts';
import { echo } from '../raw-methods.ts';
import { deadlineMs, text } from '../rpc-bed.ts';
import { GrpcBed, realClock } from './grpc-bed.ts';

const pem = (name: string) => readFileSync(new URL(`./certificates/${name}.pem`, import.meta.url));
const serverTls: ServerTls = { certificate: pem('server'), key: pem('server.key') };
const mutualTls: ServerTls = { ...serverTls, clientAuthority: pem('authority') };
const renewedTls: ServerTls = {
  certificate: pem('renewed-server'),
  key: pem('renewed-server.key'),
};
const trusting: ClientTls = { authority: pem('authority') };
const alice: ClientTls = { ...trusting, certificate: pem('alice'), key: pem('alice.key') };
const stranger: ClientTls = { ...trusting, certificate: pem('stranger'), key: pem('stranger.key') };

describe('TLS', () => {
  let bed: GrpcBed;
  afterEach(() => bed.close());

  async function start(tls?: ServerTls): Promise<void> {
    bed = new GrpcBed(tls === undefined ? {} : { tls });
    bed.server.unary(echo, async (_request, context) => text(context.certificateSubject ?? '-'));
    await bed.start();
  }

  /** The subject that the server saw, or the error of the call. */
  async function ask(tls?: ClientTls): Promise<string> {
    const options = tls === undefined ? {} : { tls: () => tls };
    const connector = new GrpcConnector({ clock: realClock, ...options });
    const channel = connector.connect(`127.0.0.1:${bed.port}`, 'test');
    try {
      return (await channel.unary(echo, text('who'), { deadlineMs })).toString();
    } catch (error) {
      const { code, outcome } = HighwaterError.from(error);
      return `${code} ${outcome}`;
    } finally {
      await channel.close();
    }
  }

  it('serves who trusts its certificate, without asking for one', async () => {
    await start(serverTls);
    expect(await ask(trusting)).toBe('-');
    expect(await ask(stranger)).toBe('-');
  });

  it('is refused by who does not trust its certificate, and nothing was written', async () => {
    await start(renewedTls);
    expect(await ask(trusting)).toBe('CONNECTION_LOST not-written');
  });

  it('tells handlers the subject of a verified client certificate', async () => {
    await start(mutualTls);
    expect(await ask(alice)).toBe('O=example,CN=alice');
  });

  it('refuses clients without a certificate, or with one of another authority', async () => {
    await start(mutualTls);
    expect(await ask(trusting)).toMatch(/^CONNECTION_LOST/);
    expect(await ask(stranger)).toMatch(/^CONNECTION_LOST/);
    expect(await ask(alice)).toBe('O=example,CN=alice');
  });

  it('does not talk plaintext on a TLS port, nor TLS on a plaintext one', async () => {
    await start(serverTls);
    expect(await ask()).toMatch(/^CONNECTION_LOST/);
    const socket = connectTcp(bed.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await once(socket, 'close');
    await bed.close();
    await start();
    expect(await ask(trusting)).toMatch(/^CONNECTION_LOST/);
    expect(await ask()).toBe('-');
  });

  it('uses renewed certificates for later connections without a restart', async () => {
    await start(serverTls);
    const trustingRenewed: ClientTls = { authority: pem('stranger-authority') };
    expect(await ask(trustingRenewed)).toBe('CONNECTION_LOST not-written');
    bed.server.reloadTls(renewedTls);
    expect(await ask(trustingRenewed)).toBe('-');
    expect(await ask(trusting)).toBe('CONNECTION_LOST not-written');
  });

  it('does not change whether clients need a certificate while it runs', async () => {
    await start(mutualTls);
    expect(() => bed.server.reloadTls(serverTls)).toThrow('without a restart');
    expect(await ask(alice)).toBe('O=example,CN=alice');
  });
});
