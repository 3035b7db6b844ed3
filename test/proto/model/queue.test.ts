import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Queue } from '../../../proto/model/queue.ts';

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('push'), count: fc.integer({ min: 1, max: 300 }) }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant('shift'), count: fc.integer({ min: 1, max: 300 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('pop'), count: fc.integer({ min: 1, max: 9 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('set'), count: fc.nat(400) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clear'), count: fc.constant(1) }) },
  ),
  { maxLength: 60 },
);

it('a queue is an array that gives its oldest first', () => {
  fc.assert(
    fc.property(steps, (walk) => {
      const queue = new Queue<number>();
      const model: number[] = [];
      let next = 0;
      for (const { do: what, count } of walk) {
        if (what === 'set') {
          queue.set(count, -count);
          if (count < model.length) model[count] = -count;
          continue;
        }
        for (let time = 0; time < count; time++) {
          if (what === 'push') {
            queue.push(next);
            model.push(next++);
          } else if (what === 'shift') expect(queue.shift()).toBe(model.shift());
          else if (what === 'pop') expect(queue.pop()).toBe(model.pop());
          else {
            queue.clear();
            model.length = 0;
          }
        }
        expect([...queue]).toEqual(model);
        expect(queue.length).toBe(model.length);
        expect(queue.at(0)).toBe(model[0]);
        expect(queue.at(model.length - 1)).toBe(model.at(-1));
        expect(queue.at(model.length)).toBeUndefined();
        expect(queue.at(-1)).toBeUndefined();
      }
    }),
  );
});

it('what passed through is gone with the next collection of the young, however old the queue is', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (kind: { type: 'minor' | 'major' }) => void;
  const queue = new Queue<Buffer>();
  const pass = (count: number, length: number): void => {
    for (let at = 1; at <= count; at++) {
      queue.push(Buffer.allocUnsafeSlow(bytes));
      while (queue.length > length) queue.shift();
      if (at % 50 === 0) collect({ type: 'minor' });
    }
  };
  const bytes = 64 * 1024;
  pass(200, 20);
  collect({ type: 'major' });
  const before = process.memoryUsage().arrayBuffers;
  // It grows on the way: the store that it leaves is old, and nothing but a collection of all frees it.
  pass(300, 20);
  pass(300, 60);
  pass(200, 20);
  collect({ type: 'minor' });
  collect({ type: 'minor' });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * bytes);
});
