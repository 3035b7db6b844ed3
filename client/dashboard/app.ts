/** The page: one stream in, one view on, and whatever changed drawn once for each frame. */
import type { ControlsAnswer } from '../../proto/dashboard/messages.ts';
import { ask } from './api.ts';
import { ConnectionBanner } from './connection-banner.ts';
import { applyMessage } from './core/cluster-state.ts';
import { remember } from './core/partition-history.ts';
import { measure } from './core/rates.ts';
import { fill, make, setAttribute, setText } from './element.ts';
import { FeedStream, type StreamCondition } from './feed-stream.ts';
import { createPageState, type View } from './page-state.ts';
import { viewOf } from './router.ts';
import { themeButton } from './theme.ts';

const controlsMs = 700;

const state = createPageState();
const main = place('main');
const live = make('span', { class: 'live', role: 'status' }, 'connecting');
const seenBy = make('select', { id: 'seen-by', 'aria-label': 'Whose view is shown' });
let view: View | undefined;
let isDue = false;

const banner = new ConnectionBanner(place('banner'), state, () => openStream());
const stream = new FeedStream({
  onMessage(message) {
    applyMessage(state.cluster, message);
    if (message.kind === 'state') {
      measure(state.rates, message.nodes, message.wallMs);
      remember(state.history, state.cluster, view?.lookedAt?.());
    }
    drawSoon();
  },
  onCondition(condition) {
    banner.show(condition);
    showCondition(condition);
  },
});

function place(id: string): HTMLElement {
  return document.querySelector<HTMLElement>(`#${id}`) ?? document.body;
}

function openStream(): void {
  stream.open(seenBy.value === '' ? '' : `?via=${seenBy.value}`);
}

/** Hidden pages are not drawn; they catch up when they are seen again. */
function drawSoon(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    showChoice();
    view?.update();
  });
}

function showCondition(condition: StreamCondition): void {
  const isLive = condition.kind === 'live';
  setAttribute(live, 'data-condition', condition.kind);
  setText(live, isLive ? `live from node ${state.cluster.node}` : 'no connection');
}

/** Where somebody stands in front of all nodes, one chooses whose view is shown. */
function showChoice(): void {
  seenBy.hidden = state.controls.size === 0;
  const nodes = state.cluster.nodes.map(({ id }) => id);
  if (seenBy.dataset['nodes'] === nodes.join()) return;
  seenBy.dataset['nodes'] = nodes.join();
  const chosen = seenBy.value;
  fill(
    seenBy,
    make('option', { value: '' }, 'seen by any node'),
    ...nodes.map((id) => make('option', { value: id }, `seen by node ${id}`)),
  );
  seenBy.value = chosen;
}

function open(): void {
  view?.close?.();
  view = viewOf(location.hash, state);
  document.title = `${view.title} – Highwater`;
  fill(main, view.element);
  for (const link of document.querySelectorAll('#views a')) {
    const [, kind = ''] = (link.getAttribute('href') ?? '').split('/');
    const isHere = location.hash.replace(/^#\//, '').split('/')[0] === kind;
    setAttribute(link, 'aria-current', isHere ? 'page' : undefined);
  }
  scrollTo(0, 0);
  view.update();
}

/** Asks who offers what; a node by itself offers nothing and is asked rarely. */
async function followControls(): Promise<void> {
  for (;;) {
    try {
      const { nodes } = await ask<ControlsAnswer>('/api/controls');
      state.controls = new Map(nodes.map((node) => [node.id, node]));
      drawSoon();
    } catch {
      // The stream tells that the node is gone; here it only means that nothing new is known.
    }
    const ms = state.controls.size === 0 ? controlsMs * 10 : controlsMs;
    await new Promise((next) => setTimeout(next, ms));
  }
}

seenBy.addEventListener('change', openStream);
place('top-end').append(
  live,
  seenBy,
  themeButton(() => view?.repaint?.()),
);
addEventListener('hashchange', () => {
  open();
  main.focus({ preventScroll: true });
});
addEventListener('resize', drawSoon);
document.querySelector('.skip')?.addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
open();
openStream();
void followControls();
