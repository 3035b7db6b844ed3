import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideGrants } from '../../../../client/reader/core/credit.ts';
import {
  chooseReplica,
  type ReplicaCandidate,
} from '../../../../client/reader/core/replica-choice.ts';
import { nodeId } from '../../../../proto/model/ids.ts';

const replica = (id: number, more: Partial<ReplicaCandidate> = {}): ReplicaCandidate => ({
  nodeId: nodeId(id),
  rack: `r${id}`,
  isLeader: id === 1,
  isInSync: true,
  isLive: true,
  isAvoided: false,
  ...more,
});
const wish = (rack?: string) => ({ readFrom: 'nearest', rack, drawn: 0 }) as const;

describe('the nearest replica', () => {
  it('is one in the own rack that is in sync and alive, else another one that is', () => {
    const all = [replica(1), replica(2), replica(3)];
    expect(chooseReplica(all, wish('r3'))?.nodeId).toBe(3);
    for (const lame of [{ isInSync: false }, { isLive: false }, { isAvoided: true }]) {
      const chosen = chooseReplica([replica(1), replica(2), replica(3, lame)], wish('r3'));
      expect(chosen?.nodeId).not.toBe(3);
    }
  });

  it('is the leader where all others failed', () => {
    const lame = { isAvoided: true };
    const chosen = chooseReplica([replica(1, lame), replica(2, lame)], wish());
    expect(chosen?.nodeId).toBe(1);
    expect(chooseReplica([], wish())).toBeUndefined();
  });
});

describe('credit', () => {
  it('is never more than the bound and an eighth, with what is queued', () => {
    const line = fc.record({ credit: fc.integer({ min: -500, max: 5_000 }) });
    const lines = fc.array(line, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        lines,
        fc.nat(10_000),
        fc.integer({ min: 1, max: 20_000 }),
        (all, queued, max) => {
          const before = all.reduce((sum, one) => sum + Math.max(0, one.credit), queued);
          const grants = decideGrants(all, max, queued);
          for (const { line: granted, bytes } of grants) {
            expect(bytes).toBeGreaterThan(0);
            granted.credit += bytes;
          }
          const after = all.reduce((sum, one) => sum + Math.max(0, one.credit), queued);
          const beyond = max / 8 + all.length;
          expect(after).toBeLessThanOrEqual(Math.max(before, max) + beyond);
        },
      ),
    );
  });

  it('is granted to a broker that has none beside one that does not use its own', () => {
    const hoard = { credit: 10_000 };
    const starved = { credit: 0 };
    const [grant, ...more] = decideGrants([hoard, starved], 10_000, 0);
    expect(grant?.line).toBe(starved);
    expect(grant?.bytes).toBeGreaterThan(0);
    expect(more).toHaveLength(0);
  });

  it('lies above 0 again once a batch larger than all of it was consumed', () => {
    const debtor = { credit: 256_000 - 530_000 };
    const [grant] = decideGrants([debtor], 256_000, 0);
    expect(debtor.credit + (grant?.bytes ?? 0)).toBe(256_000);
  });

  it('is granted whenever a broker has none and nothing is queued, so that no read stands still', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 8, max: 10_000 }),
        (count, max) => {
          const lines = Array.from({ length: count }, () => ({ credit: 0 }));
          expect(decideGrants(lines, max, 0)).toHaveLength(count);
        },
      ),
    );
  });
});
