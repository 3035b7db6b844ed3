import { expect, it } from 'vitest';
import { nodeId } from '../proto/model/ids.ts';

it('a node id below 1 is refused', () => {
  expect(() => nodeId(0)).toThrow('a node id');
});
