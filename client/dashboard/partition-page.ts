/** One partition closely: the picture at full size, how it came about, and the records at its end. */
import type { PartitionView } from './core/cluster-state.ts';
import { gapOf, healthOf, healthWords, standingOf } from './core/partition-health.ts';
import { count, short } from './core/words.ts';
import { fill, make, setAttribute, setText } from './element.ts';
import { EventList } from './event-list.ts';
import { LineChart } from './line-chart.ts';
import type { PageState, View } from './page-state.ts';
import { legend } from './partition-table.ts';
import { ReplicaPicture } from './replica-picture.ts';
import { StretchStrip } from './stretch-strip.ts';

export function createPartitionPage(state: PageState, topic: string, partition: number): View {
  const name = `${topic}/${partition}`;
  const find = (): PartitionView | undefined =>
    state.cluster.ordered.find(
      (one) => one.topic.name === topic && one.row.partition === partition,
    );
  const health = make('span', { class: 'pill' });
  const facts = make('dl', { class: 'facts' });
  const replicas = new ReplicaPicture(state);
  const strip = new StretchStrip(state);
  const chart = gapChart();
  const events = new EventList(state, {
    groupsMax: 60,
    matches: (event) => event.subject === name || /^(broker|controller)/.test(event.subject),
  });
  const missing = make('p', { class: 'quiet' }, `The metadata names no partition ${name}.`);
  const records = `#/records/${encodeURIComponent(topic)}/${partition}`;
  const element = make(
    'div',
    { class: 'page' },
    make('div', { class: 'page-head' }, make('h1', {}, name), health),
    missing,
    facts,
    section('Replicas, at the tail of the log', legend(), replicas.element),
    make(
      'div',
      { class: 'charts' },
      section('Who led, who was in sync', strip.element),
      chart.element,
    ),
    section('What happened here', events.element),
    make('p', {}, make('a', { href: records }, 'Look at its records')),
  );
  const update = (): void => {
    const view = find();
    missing.hidden = view !== undefined;
    if (view === undefined) return;
    showHealth(health, view);
    showFacts(facts, view);
    replicas.update(view);
    strip.update(view);
    events.update();
    showGaps(chart, state, view);
  };
  return {
    element,
    title: name,
    update,
    lookedAt: () => find()?.key,
    repaint: () => chart.repaint(),
    close: () => chart.close(),
  };
}

function gapChart(): LineChart {
  return new LineChart({
    title: 'Behind the log end',
    lines: [
      { name: 'watermark', colour: '--series-1', isFilled: true },
      { name: 'slowest replica, stored', colour: '--series-2', dash: [6, 4] },
    ],
    format: short,
    least: 10,
  });
}

function showHealth(element: HTMLElement, view: PartitionView): void {
  const how = healthOf(view);
  const tone = how === 'in-sync' ? 'good' : how === 'under-replicated' ? 'warn' : 'bad';
  setText(element, healthWords[how]);
  setAttribute(element, 'class', `pill pill-${tone}`);
}

function section(title: string, ...children: Node[]): HTMLElement {
  return make(
    'section',
    { class: 'panel' },
    make('div', { class: 'panel-head' }, make('h2', {}, title)),
    ...children,
  );
}

function showFacts(element: HTMLElement, view: PartitionView): void {
  const { row, topic } = view;
  const standing = standingOf(view);
  const nodes = (list: readonly number[]): string => (list.length === 0 ? 'none' : list.join(', '));
  const rows: readonly (readonly [string, string])[] = [
    ['Leader', row.leader === null ? 'none: an election is open' : `node ${row.leader}`],
    ['Leader epoch', String(row.leaderEpoch)],
    ['Partition epoch', String(row.partitionEpoch)],
    ['In-sync set', `${nodes(row.isr)} (minimum ${topic.minInsyncReplicas})`],
    ['Eligible outside it', nodes(row.elr)],
    ...(row.suspects.length > 0 ? [['Suspect storage', nodes(row.suspects)] as const] : []),
    ...(row.semiSync.length > 0 ? [['Semi-sync members', nodes(row.semiSync)] as const] : []),
    ['Log end', standing === undefined ? '–' : count(standing.logEnd)],
    ['Watermark', standing === undefined ? '–' : count(standing.watermark)],
    ['Gap', count(gapOf(view))],
  ];
  fill(
    element,
    ...rows.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))),
  );
}

function showGaps(chart: LineChart, state: PageState, view: PartitionView): void {
  const samples = state.history.gaps.get(view.key) ?? [];
  if (samples.length < 2) return;
  chart.show([
    samples.map(({ wallMs }) => wallMs / 1_000),
    samples.map(({ watermarkBehind }) => watermarkBehind),
    samples.map(({ storedBehind }) => Math.max(0, ...storedBehind.values())),
  ]);
}
