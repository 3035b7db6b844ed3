import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  acceptRequests,
  type LinkRequests,
  type LinkService,
  openRequests,
} from '../../../proto/link/requests.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { limits } from '../../../proto/model/limits.ts';
import { silentLogger } from '../../../proto/ports/logger.ts';
import { createMemoryWorld, type MemoryWorld } from './memory-world.ts';

const text = (value: string) => ({ header: Buffer.from(value) });

describe('requests over a stream of the link', () => {
  let world: MemoryWorld;
  const callbacks: LinkRequests[] = [];
  beforeEach(() => {
    world = createMemoryWorld();
    callbacks.length = 0;
  });
  afterEach(async () => {
    await world.close();
  });

  async function pair(service: LinkService, own: LinkService = {}): Promise<LinkRequests> {
    const [a, b] = [await world.node(1), await world.node(2)];
    const options = { clock: world.time.clock, logger: silentLogger };
    const serve = (requests: LinkRequests): LinkService => {
      callbacks.push(requests);
      return service;
    };
    acceptRequests(b.endpoint, 'control', serve, options);
    return openRequests(a.endpoint, { to: b.address, kind: 'control' }, own, options);
  }

  const failure = async (call: Promise<unknown>): Promise<HighwaterError> => {
    const caught = await world.time.complete(
      call.then(
        () => undefined,
        (error: unknown) => error,
      ),
      60_000,
    );
    if (caught instanceof HighwaterError) return caught;
    throw new Error('the call did not fail as it should');
  };

  test('a call is answered with header and payload', async () => {
    const requests = await pair({
      calls: new Map([
        [
          7,
          async (call) => ({
            header: Buffer.from(`${call.header.toString()} from ${call.peer.nodeId}`),
            payload: [call.payload, call.payload],
          }),
        ],
      ]),
    });
    const call = requests.call(7, { ...text('hello'), payload: [Buffer.from('ab')] }, 1_000);
    const answer = await world.time.complete(call, 1_000);
    expect(answer.header.toString()).toBe('hello from 1');
    expect(answer.payload.toString()).toBe('abab');
  });

  test('the accepting side may call as well', async () => {
    const requests = await pair({}, { calls: new Map([[1, async () => text('called back')]]) });
    requests.notify(1, text('x'));
    await world.until(() => callbacks.length === 1);
    const call = callbacks[0]?.call(1, text('you'), 1_000);
    if (call === undefined) throw new Error('nothing was accepted');
    expect((await world.time.complete(call, 1_000)).header.toString()).toBe('called back');
  });

  test('an error of the handler arrives with code, message, facts and outcome', async () => {
    const requests = await pair({
      calls: new Map([
        [
          1,
          async () => {
            throw new HighwaterError('NOT_CONTROLLER', 'ask another', {
              facts: { leader: 3 },
              outcome: 'maybe-written',
            });
          },
        ],
      ]),
    });
    const error = await failure(requests.call(1, text(''), 1_000));
    expect(error).toMatchObject({
      code: 'NOT_CONTROLLER',
      message: 'ask another',
      facts: { leader: '3' },
      outcome: 'maybe-written',
    });
  });

  test('a defect of the handler is INTERNAL without details', async () => {
    const requests = await pair({
      calls: new Map([
        [
          1,
          async () => {
            throw new TypeError('secret path');
          },
        ],
      ]),
    });
    const error = await failure(requests.call(1, text(''), 1_000));
    expect(error.code).toBe('INTERNAL');
    expect(error.message).not.toContain('secret');
  });

  test('a method that is not known is UNSUPPORTED_VERSION', async () => {
    const requests = await pair({});
    expect((await failure(requests.call(9, text(''), 1_000))).code).toBe('UNSUPPORTED_VERSION');
  });

  test('a call ends at its deadline, and the late answer harms nothing', async () => {
    let answer: (() => void) | undefined;
    const slow = () =>
      new Promise<{ header: Buffer }>((resolve) => {
        answer = () => resolve(text('late'));
      });
    const requests = await pair({
      calls: new Map([
        [1, slow],
        [2, async () => text('fine')],
      ]),
    });
    expect((await failure(requests.call(1, text(''), 200))).code).toBe('DEADLINE_EXCEEDED');
    answer?.();
    const next = await world.time.complete(requests.call(2, text(''), 1_000), 1_000);
    expect(next.header.toString()).toBe('fine');
  });

  test('a lost link fails what waits, maybe applied', async () => {
    const requests = await pair({ calls: new Map([[1, () => new Promise(() => {})]]) });
    const call = requests.call(1, text(''), 30_000);
    await world.settle();
    world.network.lose(nodeId(1), nodeId(2));
    const error = await failure(call);
    expect([error.code, error.outcome]).toEqual(['CONNECTION_LOST', 'maybe-written']);
    const after = await failure(requests.call(1, text(''), 1_000));
    expect([after.code, after.outcome]).toEqual(['CONNECTION_LOST', 'not-written']);
  });

  test('a call to a peer that cannot be reached was definitely not applied', async () => {
    const a = await world.node(1);
    const options = { clock: world.time.clock, logger: silentLogger };
    const target = { to: world.nobody(2), kind: 'control' } as const;
    const requests = openRequests(a.endpoint, target, {}, options);
    const error = await failure(requests.call(1, text(''), 1_000));
    expect([error.code, error.outcome, error.facts['reason']]).toEqual([
      'CONNECTION_LOST',
      'not-written',
      'refused',
    ]);
  });

  test('notices and calls arrive in the order they were made', async () => {
    const seen: string[] = [];
    const note = (header: Buffer): void => {
      seen.push(header.toString());
    };
    const requests = await pair({
      calls: new Map([
        [
          1,
          async (call) => {
            note(call.header);
            return text('');
          },
        ],
      ]),
      notices: new Map([[1, (notice) => note(notice.header)]]),
    });
    const calls: Promise<unknown>[] = [];
    for (let index = 0; index < 20; index++) {
      if (index % 3 === 0) calls.push(requests.call(1, text(`${index}`), 1_000));
      else requests.notify(1, text(`${index}`));
    }
    await world.time.complete(Promise.all(calls), 1_000);
    await world.until(() => seen.length === 20);
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => `${index}`));
  });

  test('more calls than may wait are refused at once', async () => {
    const requests = await pair({ calls: new Map([[1, () => new Promise(() => {})]]) });
    const calls = Array.from({ length: limits.linkRequestsMax }, () =>
      requests.call(1, text(''), 5_000).catch((error: unknown) => error),
    );
    expect((await failure(requests.call(1, text(''), 5_000))).code).toBe('OVERLOADED');
    await world.time.complete(Promise.all(calls), 10_000);
  });

  test('bulk in calls and answers gives its credit back', async () => {
    const bulk = [Buffer.alloc(3 * 1024 * 1024)];
    const requests = await pair({
      calls: new Map([[1, async () => ({ header: Buffer.of(1), payload: bulk })]]),
    });
    for (let count = 0; count < 20; count++) {
      const call = requests.call(1, { header: Buffer.of(1), payload: bulk }, 1_000);
      expect((await world.time.complete(call, 2_000)).payload.length).toBe(bulk[0]?.length);
    }
  });
});
