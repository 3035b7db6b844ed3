/** Every lesson, in the order of the list; each is loaded when it is played. */
import type { LazyLesson } from './lesson.ts';

export const lessons: readonly LazyLesson[] = [
  {
    name: 'async-loss',
    summary:
      'A record acknowledged by the leader alone can die with it; at semi-sync and all it does not.',
    load: async () => (await import('./lessons/async-loss.ts')).asyncLossLesson,
  },
  {
    name: 'isr',
    summary:
      'A slow follower leaves the in-sync set, writes are refused below the minimum, and it comes back.',
    load: async () => (await import('./lessons/isr.ts')).isrLesson,
  },
  {
    name: 'failover',
    summary: 'The leader is killed under load: a short gap, nothing lost, nothing doubled.',
    load: async () => (await import('./lessons/failover.ts')).failoverLesson,
  },
];
