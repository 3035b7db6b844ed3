/** The timeline: what happened, to whom and why, newest first. */
import type { EventRow } from '../../proto/dashboard/messages.ts';
import {
  type EventGroup,
  groupEvents,
  kindWords,
  reasonWords,
  toneOf,
} from './core/event-groups.ts';
import { keyed, make, setText } from './element.ts';
import type { PageState } from './page-state.ts';

export interface EventListOptions {
  readonly groupsMax: number;
  /** Only these; all if absent. */
  readonly matches?: (event: EventRow) => boolean;
}

/** A sign for each tone, so that colour says nothing alone. */
const signs = { election: '★', loss: '▼', recovery: '▲', warning: '!', fact: '·' } as const;

interface Item {
  readonly element: HTMLElement;
  show(group: EventGroup): void;
}

export class EventList {
  readonly element = make('ol', { class: 'events', 'aria-label': 'Events, newest first' });
  readonly #state: PageState;
  readonly #options: EventListOptions;
  readonly #elements = new Map<string, HTMLElement>();
  readonly #items = new Map<string, Item>();
  readonly #empty = make('p', { class: 'quiet' }, 'Nothing was recorded yet.');
  #drawn: readonly EventRow[] | undefined;

  constructor(state: PageState, options: EventListOptions) {
    this.#state = state;
    this.#options = options;
  }

  update(): void {
    const { events } = this.#state.cluster;
    if (events === this.#drawn) return;
    this.#drawn = events;
    const { matches, groupsMax } = this.#options;
    const wanted = matches === undefined ? events : events.filter(matches);
    const groups = groupEvents(wanted, groupsMax);
    const byKey = new Map(groups.map((group) => [keyOf(group), group]));
    keyed(this.element, this.#elements, [...byKey.keys()], (key) => {
      const item = createItem();
      this.#items.set(key, item);
      return item.element;
    });
    for (const [key, group] of byKey) this.#items.get(key)?.show(group);
    for (const key of this.#items.keys()) if (!byKey.has(key)) this.#items.delete(key);
    if (groups.length === 0) this.element.append(this.#empty);
    else this.#empty.remove();
  }
}

/** What is the same for all of them. */
function reasonOfMany({ last }: EventGroup): string {
  return last.kind === 'isr-changed' ? last.reason : reasonWords({ ...last, evidence: {} });
}

function keyOf({ last, count }: EventGroup): string {
  return `${last.term}/${last.sequence}/${last.kind}/${last.subject}/${count > 1 ? 'many' : 'one'}`;
}

function createItem(): Item {
  const time = make('time', { class: 'event-time' });
  const sign = make('span', { class: 'event-sign', 'aria-hidden': 'true' });
  const title = make('span', { class: 'event-title' });
  const reason = make('span', { class: 'event-reason' });
  const evidence = make('dl', { class: 'evidence' });
  const details = make(
    'details',
    {},
    make('summary', {}, time, sign, make('span', { class: 'event-text' }, title, ' ', reason)),
    evidence,
  );
  const element = make('li', { class: 'event' }, details);
  return {
    element,
    show(group) {
      const { last, count, subjects } = group;
      const tone = toneOf(last);
      element.className = `event event-${tone}`;
      element.dataset['kind'] = last.kind;
      setText(sign, signs[tone]);
      setText(time, clockTime(last.wallMs));
      time.dateTime = new Date(last.wallMs).toISOString();
      const whom = count === 1 ? last.subject : `${subjects[0] ?? ''} and ${count - 1} more`;
      setText(title, `${kindWords(last)}: ${whom}`);
      setText(reason, count === 1 ? reasonWords(last) : reasonOfMany(group));
      const rows = [...Object.entries(last.evidence)].filter(([, value]) => value !== '');
      if (count > 1)
        rows.unshift(['subjects', subjects.join(', ') + (count > subjects.length ? ' …' : '')]);
      evidence.replaceChildren(
        ...rows.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]),
      );
    },
  };
}

/** To the millisecond: an election takes some of them. */
export function clockTime(wallMs: number): string {
  const at = new Date(wallMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}
