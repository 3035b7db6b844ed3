import assert from 'node:assert/strict';
import { readNodeSettings } from '../../../proto/model/node-settings.ts';
import {
  readTopicSettings,
  refusedTopicSetting,
  semiSyncReplicasOf,
} from '../../../proto/model/topic-settings.ts';
import type { FuzzTarget } from '../target.ts';

/** Settings as text, of nodes and of topics: lines of name, a tab and value. */
export const settingsTarget: FuzzTarget = {
  name: 'settings',
  async seeds() {
    return [
      'node-id\t1\nroles\tbroker,controller\ndata\t/tmp/x\nlisten\t127.0.0.1:9092',
      'quorum\t1@127.0.0.1:9093,2@127.0.0.1:9193\nrack\ta\npeer-listen\t[::1]:0',
      'retention.ms\t-1\nmin.insync.replicas\t2\nflush\tos\nsemi.sync.replicas\tmajority',
      'segment.bytes\t9007199254740993\nunclean.recovery\tlongest\n__proto__\tx\n\t',
    ].map((text) => Buffer.from(text));
  },
  check(input) {
    const given = linesOf(input);
    const read = readNodeSettings(given);
    assert.ok('settings' in read || read.refusals.length > 0, 'a refusal says what is wrong');
    const topic = readTopicSettings(given);
    const numbers = Object.values(topic).filter((value) => typeof value === 'number');
    assert.ok(
      numbers.every((value) => Number.isSafeInteger(value) || (value > 0 && value < 1)),
      'a number that was taken is exact, or a ratio',
    );
    assert.ok(semiSyncReplicasOf(topic, 3) <= 3, 'no more replicas are asked for than there are');
    for (const [name, value] of given) {
      const refusal = refusedTopicSetting(name, value);
      assert.ok(
        refusal === undefined || refusal.accepted.length > 0,
        'a refusal says what is taken',
      );
    }
  },
};

function linesOf(input: Buffer): ReadonlyMap<string, string> {
  const lines = input.toString().split('\n');
  return new Map(
    lines.map((line) => {
      const cut = line.indexOf('\t');
      return [line.slice(0, Math.max(0, cut)), line.slice(cut + 1)] as const;
    }),
  );
}
