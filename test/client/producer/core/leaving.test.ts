import { describe, expect, it } from 'vitest';
import { gatherMsMax, mayLeave } from '../../../../client/producer/core/leaving.ts';
import { limits } from '../../../../proto/model/limits.ts';

const idle = {
  requestsInFlight: 0,
  areAllIdle: true,
  bytesInFlight: 0,
  batchesInFlight: 0,
  bytesGathered: 1,
  gatheredMs: 0,
};

describe('a message', () => {
  it('leaves at once while nothing is on its way, and never empty', () => {
    expect(mayLeave(idle)).toBe(true);
    expect(mayLeave({ ...idle, bytesGathered: 0 })).toBe(false);
  });

  it.each([
    ['this leader', { ...idle, areAllIdle: false, requestsInFlight: 1, bytesInFlight: 100 }],
    ['another leader', { ...idle, areAllIdle: false }],
    ['this leader, sent this turn', { ...idle, requestsInFlight: 1, bytesInFlight: 100 }],
  ])('gathers while one is on its way to %s, until full or long enough', (_, busy) => {
    expect(mayLeave(busy)).toBe(false);
    expect(mayLeave({ ...busy, bytesGathered: limits.rpcMessageBytesTarget })).toBe(true);
    expect(mayLeave({ ...busy, gatheredMs: gatherMsMax })).toBe(true);
  });

  it('waits for answers when much is on its way, however full it is', () => {
    const full = {
      ...idle,
      areAllIdle: false,
      bytesGathered: 10 * limits.rpcMessageBytesTarget,
      gatheredMs: 1e6,
    };
    expect(mayLeave({ ...full, requestsInFlight: 1_000 })).toBe(false);
    const bytesInFlight = 100 * limits.rpcStreamBufferBytesMax;
    expect(mayLeave({ ...full, requestsInFlight: 1, bytesInFlight })).toBe(false);
  });

  it('waits for answers when many small batches are on their way: the next ones grow meanwhile', () => {
    const busy = {
      ...idle,
      areAllIdle: false,
      bytesGathered: 10 * limits.rpcMessageBytesTarget,
      requestsInFlight: 4,
      bytesInFlight: limits.rpcMessageBytesTarget,
    };
    expect(mayLeave({ ...busy, batchesInFlight: 4 })).toBe(true);
    expect(mayLeave({ ...busy, batchesInFlight: 400 })).toBe(false);
  });
});
