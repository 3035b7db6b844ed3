import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualTime } from '../../proto/ports/memory/virtual-time.ts';
import { TouchedNodes } from './touched-nodes.ts';

describe('after an event', () => {
  const time = new VirtualTime();
  const ofNode = time.clockFor('node 2');
  const ofClient = time.clockFor('client');
  let touched: TouchedNodes;
  const seen = (): number[] => [1, 2, 3].filter((node) => touched.has(node));

  beforeEach(() => {
    touched = new TouchedNodes();
    touched.own(ofNode, 2);
    touched.own(ofClient, undefined);
    touched.forget();
  });

  it('of a node that node is looked at', () => {
    touched.ended(ofNode);
    expect(seen()).toEqual([2]);
  });

  it('of a client nobody is looked at but whom it handed something to', () => {
    touched.add(3);
    touched.ended(ofClient);
    expect(seen()).toEqual([3]);
  });

  it('of an unknown clock, such as a fault, everybody is looked at', () => {
    touched.ended(time.clock);
    expect(seen()).toEqual([1, 2, 3]);
  });

  it('everybody is looked at now and then, and then it is known who was not to have changed', () => {
    for (let event = 1; event < 64; event++) {
      touched.ended(ofNode);
      expect(seen()).toEqual([2]);
      touched.forget();
    }
    touched.ended(ofNode);
    expect(seen()).toEqual([1, 2, 3]);
    expect([1, 2, 3].filter((node) => touched.isSample(node))).toEqual([1, 3]);
  });
});
