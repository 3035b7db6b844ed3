/**
 * What a few hundred seeds of whole clusters have to come to: the situations that the rules are about.
 * A set of seeds that never gets to one of them shows nothing about it.
 */
export const clusterGoals: readonly string[] = [
  'became-leader',
  'promised',
  'truncated',
  'isr-shrink-proposed',
  'isr-expand-proposed',
];
