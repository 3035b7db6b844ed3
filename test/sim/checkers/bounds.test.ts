import { describe, expect, it } from 'vitest';
import { Bounds, type WaitingNode } from './bounds.ts';

type Changing<Value> = { -readonly [Name in keyof Value]: Value[Name] };

function nodeAt(now: number, deadlineMs: number): Changing<WaitingNode> {
  const role = { kind: 'leader' as const, waiting: { all: [{ deadlineMs }], leader: [] } };
  return { id: 1, state: 'up', now, replicas: [{ topicId: 't', partition: 0, state: { role } }] };
}

describe('what waits has bounds (S23)', () => {
  it('an ack that is waited for beyond its deadline: a violation', () => {
    const node = nodeAt(0, 500);
    const bounds = new Bounds({ pendingCount: 10 }, [node]);
    bounds.look();
    node.now = 1_400;
    bounds.look();
    node.now = 1_600;
    expect(() => bounds.look()).toThrow('all waits beyond 500');
  });

  it('one without a deadline: a violation', () => {
    const bounds = new Bounds({ pendingCount: 10 }, [nodeAt(0, Number.POSITIVE_INFINITY)]);
    expect(() => bounds.look()).toThrow('waits beyond Infinity');
  });

  it('a node that stood still is given time to notice', () => {
    const node = nodeAt(0, 500);
    const bounds = new Bounds({ pendingCount: 10 }, [node]);
    bounds.look();
    node.state = 'paused';
    bounds.look();
    Object.assign(node, { state: 'up', now: 9_000 });
    bounds.look();
    node.now = 10_500;
    expect(() => bounds.look()).toThrow('waits beyond 500');
  });

  it('so many scheduled events: a violation, at the next look', () => {
    const bounds = new Bounds({ pendingCount: 60_000 }, []);
    expect(() => {
      for (let event = 0; event < 1_024; event++) bounds.check();
    }).toThrow('60000 events are scheduled');
  });
});
