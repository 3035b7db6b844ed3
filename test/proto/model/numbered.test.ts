import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Numbered } from '../../../proto/model/numbered.ts';

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('add'), back: fc.constant(0) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('take'), back: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear'), back: fc.constant(0) }) },
);

it('an item is there under its number until it is taken, once', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const numbered = new Numbered<{ readonly number: number }>();
      const model = new Map<number, { readonly number: number }>();
      let last = 0;
      for (const { do: what, back } of steps) {
        if (what === 'add') {
          const item = { number: ++last };
          expect(numbered.add(item)).toBe(last);
          model.set(last, item);
        } else if (what === 'take') {
          const number = last - back;
          expect(numbered.get(number)).toBe(model.get(number));
          expect(numbered.take(number)).toBe(model.get(number));
          model.delete(number);
        } else {
          numbered.clear();
          model.clear();
        }
        expect(numbered.values()).toEqual([...model.values()]);
        expect(numbered.size).toBe(model.size);
        expect(numbered.oldest).toBe([...model.keys()][0] ?? last + 1);
      }
    }),
  );
});
