/**
 * The flight recorder as a timeline: what happened to many partitions for one reason within a moment is
 * one line with a count, so that a failover of a thousand partitions is read in a glance.
 */
import type { EventRow } from '../../../proto/dashboard/messages.ts';

export interface EventGroup {
  readonly first: EventRow;
  readonly last: EventRow;
  readonly count: number;
  readonly subjects: readonly string[];
}

/** What an event is about, for its mark and its weight. */
export type EventTone = 'election' | 'loss' | 'recovery' | 'warning' | 'fact';

const togetherMs = 1_500;
const subjectsMax = 50;

/** Newest first. */
export function groupEvents(events: readonly EventRow[], groupsMax: number): EventGroup[] {
  const groups: EventGroup[] = [];
  const open = new Map<string, number>();
  for (const event of events.toReversed()) {
    const key = `${event.kind}\n${event.reason}\n${toneOf(event)}`;
    const at = open.get(key);
    const group = at === undefined ? undefined : groups[at];
    if (at !== undefined && group !== undefined && group.first.wallMs - event.wallMs < togetherMs) {
      groups[at] = {
        first: event,
        last: group.last,
        count: group.count + 1,
        subjects:
          group.subjects.length < subjectsMax ? [event.subject, ...group.subjects] : group.subjects,
      };
      continue;
    }
    if (groups.length >= groupsMax) break;
    open.set(key, groups.length);
    groups.push({ first: event, last: event, count: 1, subjects: [event.subject] });
  }
  return groups;
}

/** By the name of its kind; an in-sync set that changed grew or shrank, as its evidence says. */
export function toneOf({ kind, evidence }: EventRow): EventTone {
  if (kind === 'isr-changed') return isrGrew(evidence) ? 'recovery' : 'loss';
  if (kind === 'round-waiting' || kind.startsWith('unclean')) return 'warning';
  if (kind.endsWith('-elected')) return 'election';
  if (/(shrunk|fenced|removed|opened|lost|halted)$/.test(kind) && !kind.endsWith('unfenced'))
    return 'loss';
  return /(expanded|unfenced|registered|elected)$/.test(kind) ? 'recovery' : 'fact';
}

/** What happened in two or three words: `leader-elected` → Leader elected. */
export function kindWords({ kind, evidence }: EventRow): string {
  if (kind === 'isr-changed') return isrGrew(evidence) ? 'ISR grew' : 'ISR shrank';
  const words = kind.replaceAll('-', ' ').replace(/\bisr\b/, 'ISR');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** One event in a sentence: the reason, and for the sets what became of them. */
export function reasonWords({ kind, reason, evidence }: EventRow): string {
  if (kind === 'isr-changed')
    return `${reason === '' ? '' : `${reason}: `}${evidence['before'] ?? ''} → ${evidence['isr'] ?? ''}`;
  const leader = evidence['leader'];
  const words = reasons[reason] ?? reason;
  const elapsed = evidence['elapsedMs'];
  if (kind !== 'leader-elected' || leader === undefined) return words;
  return `node ${leader}: ${words}${elapsed === undefined ? '' : `, decided in ${Math.round(Number(elapsed))} ms`}`;
}

/** Words of the controllers that want a sentence here. */
const reasons: Readonly<Record<string, string>> = {
  'leader-lost': 'the leader was lost',
};

function isrGrew(evidence: Readonly<Record<string, string>>): boolean {
  const size = (list: string | undefined): number =>
    list === undefined || list === '' ? 0 : list.split(',').length;
  return size(evidence['isr']) > size(evidence['before']);
}
