/** Groups: who is in them, what each member holds, and how far they are behind. */
import type { GroupsAnswer, GroupView } from '../../proto/dashboard/messages.ts';
import { ask } from './api.ts';
import { count, milliseconds, plural } from './core/words.ts';
import { fill, make, setText } from './element.ts';
import type { View } from './page-state.ts';

const againMs = 1_500;

export function createGroupsPage(): View {
  const status = make('p', { class: 'quiet', role: 'status' }, 'Asking the coordinators…');
  const list = make('div', {});
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  const load = async (): Promise<void> => {
    try {
      const { groups } = await ask<GroupsAnswer>('/api/groups');
      setText(
        status,
        groups.length === 0 ? 'There are no groups yet.' : plural(groups.length, 'group'),
      );
      fill(list, ...groups.map(groupSection));
    } catch (error) {
      setText(
        status,
        `The coordinators could not be asked: ${error instanceof Error ? error.message : ''}`,
      );
    }
    if (!isClosed) timer = setTimeout(() => void load(), againMs);
  };
  void load();
  return {
    element: make('div', { class: 'page' }, make('h1', {}, 'Groups'), status, list),
    title: 'Groups',
    update: () => undefined,
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

function groupSection({ group, state, members, partitions }: GroupView): HTMLElement {
  const lag = partitions.reduce((sum, { lagRecords }) => sum + Number(lagRecords ?? 0), 0);
  return make(
    'section',
    { class: 'panel', 'data-group': group },
    make(
      'div',
      { class: 'panel-head' },
      make('h2', {}, group),
      make(
        'span',
        {
          class: `pill pill-${state === 'stable' ? 'good' : state === 'empty' ? 'plain' : 'warn'}`,
        },
        state,
      ),
      make(
        'span',
        { class: 'quiet' },
        `${plural(members.length, 'member')}, ${plural(lag, 'record')} behind`,
      ),
    ),
    make(
      'div',
      { class: 'wide' },
      make(
        'table',
        { class: 'plain-table', 'aria-label': `Partitions of ${group}` },
        make(
          'thead',
          {},
          make(
            'tr',
            {},
            ...['Partition', 'Member', 'Committed', 'Watermark', 'Lag', 'Waiting for'].map(
              (title) => make('th', { scope: 'col' }, title),
            ),
          ),
        ),
        make('tbody', {}, ...partitions.map(partitionRow)),
      ),
    ),
  );
}

function partitionRow(one: GroupView['partitions'][number]): HTMLElement {
  const number = (value: string | null): HTMLElement =>
    make('td', { class: 'number' }, value === null ? '–' : count(Number(value)));
  return make(
    'tr',
    {},
    make('td', {}, `${one.topic}/${one.partition}`),
    make('td', {}, one.member === '' ? 'nobody' : one.member),
    number(one.committed),
    number(one.highWatermark),
    number(one.lagRecords),
    make('td', { class: 'number' }, one.lagMs === null ? '–' : milliseconds(one.lagMs)),
  );
}
