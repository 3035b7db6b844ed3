import { describe, expect, it } from 'vitest';
import { ChangeHistory } from '../../../proto/metadata/change-history.ts';
import { revision } from '../../../proto/model/offset.ts';

function change(n: number, size = 100) {
  return { revision: revision(n), count: 1, bytes: new Uint8Array(size) };
}

describe('the history of changes', () => {
  it('resumes after any revision from its floor on, in order', () => {
    const history = new ChangeHistory(revision(10));
    for (const n of [11, 13, 14]) history.add(change(n));
    const since = (n: number) => history.since(revision(n))?.map((one) => one.revision);
    expect(since(9)).toBeUndefined();
    expect(since(10)).toEqual([11, 13, 14]);
    expect(since(12)).toEqual([13, 14]);
    expect(since(14)).toEqual([]);
  });

  it('keeps within its bytes and says when what is asked for is gone', () => {
    const history = new ChangeHistory(revision(0), 10_000);
    for (let n = 1; n <= 10_000; n++) history.add(change(n));
    expect(history.since(revision(0))).toBeUndefined();
    const kept = history.since(revision(9_990));
    expect(kept?.map((one) => one.revision)).toEqual(
      Array.from({ length: 10 }, (_, i) => 9_991 + i),
    );
    expect(history.since(revision(9_900))).toBeUndefined();
  });

  it('forgets everything for a change that is larger than its bound', () => {
    const history = new ChangeHistory(revision(0), 10_000);
    history.add(change(1, 20_000));
    expect(history.since(revision(0))).toBeUndefined();
    expect(history.since(revision(1))).toEqual([]);
  });
});
