/** What an effect of a quorum core reads like in a story. */
import type { Effect } from '../../../controller/raft/core/effects.ts';
import { nodeIdOf } from '../../../controller/raft/core/voter.ts';

/** What a reader of a story wants to know of an effect. */
export function lineOf(effect: Effect): string | undefined {
  switch (effect.kind) {
    case 'committed':
      return `commits up to ${effect.entries.at(-1)?.index}`;
    case 'rejected':
      return `refuses ${effect.id}: ${effect.code}, ${effect.reason}`;
    case 'read-ready':
      return `serves reads at ${effect.index}`;
    case 'done':
      return `has done ${effect.id}`;
    case 'event':
      return eventLine(effect.event);
    case 'send':
    case 'persist-hard-state':
    case 'append':
    case 'cut':
    case 'save-snapshot':
    case 'install-snapshot':
    case 'restore':
    case 'proposed':
      return undefined;
  }
}

function eventLine(event: Extract<Effect, { kind: 'event' }>['event']): string | undefined {
  switch (event.event) {
    case 'quorum-campaign':
      return event.isPreVote ? `asks who would vote for it` : `stands in term ${event.term}`;
    case 'quorum-leader':
      return `leads term ${event.term}, elected by ${event.votes
        .map(nodeIdOf)
        .sort((a, b) => a - b)
        .join(' ')}`;
    case 'quorum-stepped-down':
      return `steps down in term ${event.term}: ${event.reason}`;
    case 'quorum-follows':
      return `follows ${nodeIdOf(event.leader)} in term ${event.term}`;
    case 'quorum-voters':
      return `knows voters ${event.voters.map(nodeIdOf).join(' ')} are decided`;
    case 'quorum-log-cut':
      return `cuts ${event.from}..${event.to}`;
    case 'quorum-snapshot-installed':
      return `installs a snapshot at ${event.index}`;
    case 'quorum-snapshot-refused':
      return `refuses a snapshot at ${event.index}: ${event.reason}`;
    case 'quorum-healed':
      return `is whole again up to ${event.index}`;
  }
}
