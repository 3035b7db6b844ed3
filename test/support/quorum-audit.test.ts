import { describe, expect, it } from 'vitest';
import type { MetadataHistory } from './metadata-writer.ts';
import { auditMetadata, type ChangesFound } from './quorum-audit.ts';

const clean = { lost: 0, doubled: 0, disordered: 0, forked: 0 };

function history(failures: readonly (readonly [string, number])[] = []): MetadataHistory {
  const created = ['w-25'];
  return { topic: 'w', topicId: 'id', set: [1, 2], created, failures: new Map(failures) };
}

function log(change: (times: Map<string, number>) => void = () => undefined): ChangesFound {
  const times = new Map(['w', 'w-25', 'id 1', 'id 2'].map((key) => [key, 1] as const));
  change(times);
  const entries = new Map([...times.keys()].map((key, at) => [at + 1, key] as const));
  return { times, disordered: 0, entries };
}

function verdict(logs: readonly ChangesFound[], told = history()): object {
  const { acknowledged, ...faults } = auditMetadata([told], logs);
  expect(acknowledged).toBe(4);
  return faults;
}

describe('the audit of the controllers’ logs', () => {
  it('finds nothing where each change is in each log once', () => {
    expect(verdict([log(), log(), log()])).toEqual(clean);
  });

  it('takes no offence at a minority that is behind', () => {
    const behind = log((times) => times.delete('id 2'));
    expect(verdict([behind, log(), log()])).toEqual(clean);
  });

  it('counts what a majority does not have as lost', () => {
    const behind = log((times) => times.delete('id 2'));
    expect(verdict([behind, behind, log()])).toEqual({ ...clean, lost: 1 });
  });

  it('counts what any log has twice, and what was created and then refused as existing', () => {
    const twice = log((times) => times.set('id 1', 2));
    expect(verdict([twice, log(), log()])).toEqual({ ...clean, doubled: 1 });
    const refused = history([['TOPIC_EXISTS', 1]]);
    expect(verdict([log(), log(), log()], refused)).toEqual({ ...clean, doubled: 1 });
  });

  it('finds logs that differ, and numbers out of order', () => {
    const entries = new Map([...log().entries, [2, 'other'] as const]);
    expect(verdict([{ ...log(), entries }, log(), log()])).toMatchObject({ forked: 4 });
    expect(verdict([{ ...log(), disordered: 3 }, log()])).toMatchObject({ disordered: 3 });
  });
});
