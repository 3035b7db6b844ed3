/** Every lesson, in the order of the list; each is loaded when it is played. */
import type { LazyLesson } from './lesson.ts';

export const lessons: readonly LazyLesson[] = [
  {
    name: 'routing',
    summary: 'Writes go to the leader, reads to any replica; a session always reads what it wrote.',
    load: async () => (await import('./lessons/routing.ts')).routingLesson,
  },
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
  {
    name: 'split-brain',
    summary:
      'A leader that is cut off is fenced; what it took alone was promised to nobody beyond that node.',
    load: async () => (await import('./lessons/split-brain.ts')).splitBrainLesson,
  },
  {
    name: 'controller',
    summary: 'Controllers may die: a standby takes over, and without any the data path goes on.',
    load: async () => (await import('./lessons/controller.ts')).controllerLesson,
  },
  {
    name: 'semi-sync-degrade',
    summary: 'A topic may let semi-sync go on as leader, and then every answer says so.',
    load: async () => (await import('./lessons/semi-sync-degrade.ts')).semiSyncDegradeLesson,
  },
  {
    name: 'lag',
    summary:
      'Replicas share the reads; what a follower serves is a little older, and how much is measured.',
    load: async () => (await import('./lessons/lag.ts')).lagLesson,
  },
  {
    name: 'scale',
    summary: 'Followers do not raise the write rate; partitions over more leaders do.',
    load: async () => (await import('./lessons/scale.ts')).scaleLesson,
  },
  {
    name: 'acks',
    summary: 'One load at all four levels: what each costs, and what a crash takes of it.',
    load: async () => (await import('./lessons/acks.ts')).acksLesson,
  },
  {
    name: 'detection',
    summary: 'A short session elects for nothing, a long one lets everybody wait.',
    load: async () => (await import('./lessons/detection.ts')).detectionLesson,
  },
  {
    name: 'rolling',
    summary: 'All nodes are restarted one after the other under load, and no send fails.',
    load: async () => (await import('./lessons/rolling.ts')).rollingLesson,
  },
];
