/** Entries that a leader adds itself. A leader only ever appends: it never cuts its log. */
import { logIndex } from '../../../proto/model/offset.ts';
import type { EntryBody } from './entry.ts';
import { patch, type Turn } from './turn.ts';

/** Puts one entry of the present term at the end of the leader's log. */
export function appendOwn(turn: Turn, body: EntryBody): void {
  const { log, hard, configurations } = turn.state;
  const index = logIndex(log.lastIndex + 1);
  const entry = { index, term: hard.term, body };
  patch(turn, { log: log.append([entry]) });
  if (body.kind === 'config') {
    patch(turn, { configurations: [...configurations, { index, voters: body.voters }] });
  }
  turn.effects.push({ kind: 'append', entries: [entry] });
}
