import { describe, expect, it } from 'vitest';
import { lessons } from '../../../../broker/main/demo/lesson-table.ts';
import { textOf } from '../../../house/sources.ts';

describe('the table of lessons', () => {
  it.each(lessons)('says of $name what the lesson says of itself', async (lazy) => {
    const { name, summary } = await lazy.load();
    expect({ name, summary }).toEqual({ name: lazy.name, summary: lazy.summary });
  });

  it('has the lessons that the concepts refer to, and the concepts refer to each', () => {
    const rows = textOf('docs/concepts.md').split('\n## The lessons')[1] ?? '';
    const named = [...rows.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
    expect(named).toEqual(lessons.map(({ name }) => name));
  });
});
