/** The whole flight recorder, to be searched. */
import { make } from './element.ts';
import { EventList } from './event-list.ts';
import type { PageState, View } from './page-state.ts';

export function createTimelinePage(state: PageState): View {
  const search = make('input', {
    type: 'search',
    placeholder: 'Kind, subject or reason',
    'aria-label': 'Filter events',
  });
  const box = make('div', {});
  let list: EventList | undefined;
  const renew = (): void => {
    const wanted = search.value.trim().toLowerCase();
    list = new EventList(state, {
      groupsMax: 500,
      matches: ({ kind, subject, reason }) =>
        `${kind} ${subject} ${reason}`.toLowerCase().includes(wanted),
    });
    box.replaceChildren(list.element);
    list.update();
  };
  search.addEventListener('input', renew);
  renew();
  return {
    element: make(
      'div',
      { class: 'page' },
      make('h1', {}, 'Timeline'),
      make(
        'p',
        { class: 'quiet' },
        'What the active controller decided and why, newest first. Open a line for its evidence.',
      ),
      make('div', { class: 'bar' }, search),
      make('section', { class: 'panel' }, box),
    ),
    title: 'Timeline',
    update: () => list?.update(),
  };
}
