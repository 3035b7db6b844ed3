/** Which view the address names. */
import { createGroupsPage } from './groups-page.ts';
import { createOverview } from './overview.ts';
import type { PageState, View } from './page-state.ts';
import { createPartitionPage } from './partition-page.ts';
import { createRecordsPage } from './records-page.ts';
import { createTimelinePage } from './timeline-page.ts';

/** Makes the view of a hash; the overview where it names none. */
export function viewOf(hash: string, state: PageState): View {
  const [kind = '', name = '', number = '0'] = hash.replace(/^#\//, '').split('/');
  switch (kind) {
    case 'partition':
      return createPartitionPage(state, decodeURIComponent(name), Number(number));
    case 'records':
      return createRecordsPage(state, decodeURIComponent(name), Number(number));
    case 'groups':
      return createGroupsPage();
    case 'timeline':
      return createTimelinePage(state);
    default:
      return createOverview(state);
  }
}
