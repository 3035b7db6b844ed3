import { describe, expect, it } from 'vitest';
import { gatherMsMax, mayLeave } from '../../../../client/producer/core/leaving.ts';
import { limits } from '../../../../proto/model/limits.ts';

const idle = { requestsInFlight: 0, bytesInFlight: 0, bytesGathered: 1, gatheredMs: 0 };

describe('a message', () => {
  it('leaves at once for an idle leader, and never empty', () => {
    expect(mayLeave(idle)).toBe(true);
    expect(mayLeave({ ...idle, bytesGathered: 0 })).toBe(false);
  });

  it('gathers while another is on its way, until it is full or has waited long enough', () => {
    const busy = { ...idle, requestsInFlight: 1, bytesInFlight: 100 };
    expect(mayLeave(busy)).toBe(false);
    expect(mayLeave({ ...busy, bytesGathered: limits.rpcMessageBytesTarget })).toBe(true);
    expect(mayLeave({ ...busy, gatheredMs: gatherMsMax })).toBe(true);
  });

  it('waits for answers when much is on its way, however full it is', () => {
    const full = { ...idle, bytesGathered: 10 * limits.rpcMessageBytesTarget, gatheredMs: 1e6 };
    expect(mayLeave({ ...full, requestsInFlight: 1_000 })).toBe(false);
    const bytesInFlight = 100 * limits.rpcStreamBufferBytesMax;
    expect(mayLeave({ ...full, requestsInFlight: 1, bytesInFlight })).toBe(false);
  });
});
