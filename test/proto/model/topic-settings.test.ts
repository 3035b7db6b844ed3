import { describe, expect, it } from 'vitest';
import { refusalOf, refusalText } from '../../../proto/model/setting.ts';
import {
  minInsyncReplicasOf,
  readTopicSettings,
  refusedTopicSetting,
  semiSyncReplicasOf,
  topicSettings,
} from '../../../proto/model/topic-settings.ts';

const defaults = readTopicSettings(new Map());

describe('the settings of a topic', () => {
  it('have defaults that their own rows accept', () => {
    for (const row of topicSettings) expect(refusalOf(row, row.default ?? '')).toBeUndefined();
  });

  it('are by default what the documents promise', () => {
    expect(defaults).toMatchObject({
      retentionMs: 604_800_000,
      retentionBytes: undefined,
      segmentBytes: 134_217_728,
      maxMessageBytes: 1_048_576,
      flush: 'ack',
      semiSyncTimeoutMs: 10_000,
      semiSyncOnTimeout: 'fail',
      lagTimeMaxMs: 5_000,
      uncleanRecovery: 'wait',
    });
  });

  it.each([
    ['retention.ms', '-2', '-1 to'],
    ['flush', 'never', 'one of ack, os'],
    ['min.insync.replicas', '0', '1 to 32'],
    ['max.message.bytes', '1e6', '1024 to'],
    ['semi.sync.replicas', 'most', 'majority, or 0 to 32'],
    ['retention.m', '1', 'did you mean retention.ms'],
  ])('refuse %s=%s with what is accepted', (name, value, accepted) => {
    const refusal = refusedTopicSetting(name, value);
    expect(refusal).toBeDefined();
    if (refusal !== undefined) expect(refusalText(refusal)).toContain(accepted);
  });

  it('fit the minimum and k to the number of replicas', () => {
    expect([1, 2, 3, 5].map((n) => minInsyncReplicasOf(defaults, n))).toEqual([1, 2, 2, 2]);
    expect([1, 2, 3, 4, 5].map((n) => semiSyncReplicasOf(defaults, n))).toEqual([1, 2, 2, 3, 3]);
    const set = readTopicSettings(
      new Map([
        ['min.insync.replicas', '3'],
        ['semi.sync.replicas', '0'],
      ]),
    );
    expect(minInsyncReplicasOf(set, 3)).toBe(3);
    expect(semiSyncReplicasOf(set, 3)).toBe(0);
  });
});
