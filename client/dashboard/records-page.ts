/** The topic browser: a page of records from any place of a partition, from its leader or any replica. */
import type { FieldView, RecordsAnswer, RecordView } from '../../proto/dashboard/messages.ts';
import { ask } from './api.ts';
import { plural } from './core/words.ts';
import { fill, make, setText } from './element.ts';
import { clockTime } from './event-list.ts';
import type { PageState, View } from './page-state.ts';

const pageRecords = 50;

export function createRecordsPage(state: PageState, topic: string, partition: number): View {
  const browser = new RecordBrowser();
  let shape = -1;
  return {
    element: browser.element,
    title: 'Records',
    update() {
      if (shape === state.cluster.shape || state.cluster.ordered.length === 0) return;
      const isFirst = shape === -1;
      shape = state.cluster.shape;
      showChoices(browser, state, { topic, partition });
      if (isFirst) void browser.load('latest');
    },
  };
}

class RecordBrowser {
  readonly element: HTMLElement;
  readonly topics = make('select', { 'aria-label': 'Topic', id: 'topic' });
  readonly partitions = make('select', { 'aria-label': 'Partition', id: 'partition' });
  readonly replica = make('select', { 'aria-label': 'Read from', id: 'replica' });
  readonly #offset = make('input', {
    type: 'text',
    inputmode: 'numeric',
    placeholder: 'offset',
    'aria-label': 'From offset',
    id: 'offset',
    size: 10,
  });
  readonly #status = make('p', { class: 'quiet', role: 'status' });
  readonly #list = make('div', { class: 'records' });
  #last: RecordsAnswer | undefined;

  constructor() {
    this.topics.addEventListener('change', () => this.#turnTo('0'));
    this.partitions.addEventListener('change', () => this.#turnTo(this.partitions.value));
    const onSubmit = (event: Event): void => {
      event.preventDefault();
      void this.load(this.#offset.value.trim() || 'latest');
    };
    this.element = make(
      'div',
      { class: 'page' },
      make('h1', {}, 'Records'),
      make(
        'form',
        { class: 'bar', on: { submit: onSubmit } },
        make('label', {}, 'Topic ', this.topics),
        make('label', {}, 'Partition ', this.partitions),
        make('label', {}, 'From ', this.replica),
        this.#button('Oldest', () => 'earliest'),
        this.#button('Newest', () => 'latest'),
        this.#offset,
        make('button', { type: 'submit' }, 'Go'),
        this.#button('Next', () => nextOffset(this.#last)),
      ),
      this.#status,
      this.#list,
    );
  }

  async load(from: string): Promise<void> {
    if (this.topics.value === '') return;
    const query = new URLSearchParams({
      topic: this.topics.value,
      partition: this.partitions.value,
      from,
      count: String(pageRecords),
    });
    if (this.replica.value !== '') query.set('replica', this.replica.value);
    setText(this.#status, 'Reading…');
    try {
      const { records, isCut } = await ask<RecordsAnswer>(`/api/records?${query.toString()}`);
      this.#last = { records, isCut };
      const more = isCut ? ', more behind them' : ', up to the watermark';
      setText(this.#status, `${plural(records.length, 'record')}${more}`);
      fill(this.#list, recordTable(records));
    } catch (error) {
      const reason = error instanceof Error ? error.message : '';
      setText(this.#status, `Could not be read: ${reason}`);
    }
  }

  #turnTo(partition: string): void {
    location.hash = `#/records/${encodeURIComponent(this.topics.value)}/${partition}`;
  }

  #button(label: string, from: () => string): HTMLElement {
    const onClick = (): void => void this.load(from());
    return make('button', { type: 'button', on: { click: onClick } }, label);
  }
}

function nextOffset(last: RecordsAnswer | undefined): string {
  const end = last?.records.at(-1)?.offset;
  return end === undefined ? 'latest' : String(BigInt(end) + 1n);
}

function showChoices(
  selects: RecordBrowser,
  { cluster }: PageState,
  chosen: { readonly topic: string; readonly partition: number },
): void {
  const names = [...new Set(cluster.ordered.map((one) => one.topic.name))];
  const name = names.includes(chosen.topic) ? chosen.topic : (names[0] ?? '');
  const option = (value: string, text: string, isChosen: boolean): HTMLElement =>
    make('option', { value, selected: isChosen }, text);
  fill(selects.topics, ...names.map((one) => option(one, one, one === name)));
  const numbers = cluster.ordered
    .filter((one) => one.topic.name === name)
    .map((one) => one.row.partition);
  fill(
    selects.partitions,
    ...numbers.map((one) => option(String(one), String(one), one === chosen.partition)),
  );
  const nodes = cluster.nodes.filter(({ state }) => state !== 'controller');
  fill(
    selects.replica,
    option('', 'leader', true),
    ...nodes.map(({ id }) => option(String(id), `node ${id}`, false)),
  );
}

function recordTable(records: readonly RecordView[]): HTMLElement {
  if (records.length === 0) return make('p', { class: 'quiet' }, 'No records here.');
  return make(
    'table',
    { class: 'plain-table', 'aria-label': 'Records' },
    make(
      'thead',
      {},
      make(
        'tr',
        {},
        ...['Offset', 'Time', 'Epoch', 'Key', 'Value'].map((title) =>
          make('th', { scope: 'col' }, title),
        ),
      ),
    ),
    make('tbody', {}, ...records.map(recordRow)),
  );
}

function recordRow(record: RecordView): HTMLElement {
  return make(
    'tr',
    { 'data-offset': record.offset },
    make('td', { class: 'number' }, record.offset),
    make('td', { class: 'number' }, clockTime(record.timestamp)),
    make('td', { class: 'number' }, String(record.leaderEpoch)),
    make('td', {}, field(record.key)),
    make('td', {}, field(record.value), headers(record)),
  );
}

function headers(record: RecordView): HTMLElement | undefined {
  if (record.headers.length === 0) return undefined;
  const texts = record.headers.map(([name, value]) => `${name}: ${value?.shown ?? ''}`);
  return make('div', { class: 'quiet' }, texts.join(', '));
}

function field(value: FieldView | null): HTMLElement {
  if (value === null) return make('span', { class: 'quiet' }, 'none');
  const more = value.isCut ? ` … ${value.bytes} bytes in all` : '';
  return make('code', { class: `field field-${value.form}` }, `${value.shown}${more}`);
}
