/** The first thing one sees: figures, nodes, rates, partitions and what has just happened. */
import { make } from './element.ts';
import { EventList } from './event-list.ts';
import { HealthTiles } from './health-tiles.ts';
import { NodeCards } from './node-cards.ts';
import type { PageState, View } from './page-state.ts';
import { PartitionTable } from './partition-table.ts';
import { RateCharts } from './rate-charts.ts';

export function createOverview(state: PageState): View {
  const tiles = new HealthTiles(state);
  const cards = new NodeCards(state);
  const table = new PartitionTable(state);
  const events = new EventList(state, { groupsMax: 60 });
  const charts = new RateCharts(state);
  const element = make(
    'div',
    { class: 'overview' },
    make('h1', { class: 'hidden' }, 'Overview'),
    tiles.element,
    make('section', { 'aria-label': 'Nodes' }, cards.element),
    make(
      'div',
      { class: 'split' },
      table.element,
      make(
        'section',
        { class: 'panel panel-events', 'aria-labelledby': 'events-title' },
        make(
          'div',
          { class: 'panel-head' },
          make('h2', { id: 'events-title' }, 'What happened'),
          make('a', { href: '#/timeline' }, 'all of it'),
        ),
        events.element,
      ),
    ),
    charts.element,
  );
  return {
    element,
    title: 'Overview',
    update() {
      tiles.update();
      cards.update();
      table.update();
      events.update();
      charts.update();
    },
    repaint: () => charts.repaint(),
    close: () => charts.close(),
  };
}
