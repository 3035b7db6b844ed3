/**
 * The order in which the effects of a step are run: what may leave at once, what must be durable, what
 * leaves after that, and what the rest of the controller learns last.
 */
import type { ApplyEffect, Effect, PersistEffect, SendEffect } from './core/effects.ts';

export interface OrderedEffects {
  readonly persists: readonly PersistEffect[];
  readonly early: readonly SendEffect[];
  readonly late: readonly SendEffect[];
  readonly applies: readonly ApplyEffect[];
}

export function inOrder(effects: readonly Effect[]): OrderedEffects {
  const persists: PersistEffect[] = [];
  const early: SendEffect[] = [];
  const late: SendEffect[] = [];
  const applies: ApplyEffect[] = [];
  for (const effect of effects) {
    switch (effect.kind) {
      case 'persist-hard-state':
      case 'append':
      case 'cut':
      case 'save-snapshot':
      case 'install-snapshot':
        persists.push(effect);
        break;
      case 'send':
        (effect.isBeforeFlush ? early : late).push(effect);
        break;
      case 'restore':
      case 'committed':
      case 'proposed':
      case 'read-ready':
      case 'done':
      case 'rejected':
      case 'event':
        applies.push(effect);
        break;
    }
  }
  return { persists, early, late, applies };
}
