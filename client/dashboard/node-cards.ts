/** A card for each node: how the controllers see it, what it says itself, and what can be done to it. */
import type { ControlledNode, NodeAction, NodeRow } from '../../proto/dashboard/messages.ts';
import { AnswerError, ask } from './api.ts';
import { bytes, milliseconds, plural } from './core/words.ts';
import { fill, keyed, make, setAttribute, setText } from './element.ts';
import type { PageState } from './page-state.ts';

interface Card {
  readonly element: HTMLElement;
  update(node: NodeRow, controlled: ControlledNode | undefined): void;
}

const actionWords: Readonly<Record<NodeAction, readonly [label: string, title: string]>> = {
  kill: ['Kill', 'ends it at once, as a crash would'],
  pause: ['Pause', 'stops it without ending it, as a long garbage collection would'],
  resume: ['Resume', 'lets it go on'],
  isolate: ['Isolate', 'cuts it off from the other nodes'],
  slow: ['Slow', 'slows what reaches it and what it sends'],
  heal: ['Heal', 'gives it its network back'],
  restart: ['Restart', 'starts it again with its data'],
};

export class NodeCards {
  readonly element = make('ul', { class: 'cards', 'aria-label': 'Nodes' });
  readonly #cards = new Map<number, Card>();
  readonly #elements = new Map<number, HTMLElement>();
  readonly #state: PageState;

  constructor(state: PageState) {
    this.#state = state;
  }

  update(): void {
    const { cluster, controls } = this.#state;
    keyed(
      this.element,
      this.#elements,
      cluster.nodes.map(({ id }) => id),
      (id) => {
        const card = createCard(id);
        this.#cards.set(id, card);
        return card.element;
      },
    );
    for (const node of cluster.nodes) this.#cards.get(node.id)?.update(node, controls.get(node.id));
  }
}

function createCard(id: number): Card {
  const state = make('span', { class: 'pill' });
  const roles = make('p', { class: 'card-line' });
  const load = make('p', { class: 'card-line quiet' });
  const figures = make('p', { class: 'card-line quiet' });
  const problem = make('p', { class: 'card-problem', role: 'alert' });
  const buttons = make('div', {
    class: 'buttons',
    role: 'group',
    'aria-label': `Disturb node ${id}`,
  });
  const element = make(
    'li',
    { class: 'card', 'data-node': id },
    make('div', { class: 'card-head' }, make('h3', {}, `Node ${id}`), state),
    roles,
    load,
    figures,
    buttons,
    problem,
  );
  let offered = '';
  return {
    element,
    update(node, controlled) {
      const { word, tone } = conditionOf(node, controlled);
      setText(state, word);
      setAttribute(state, 'class', `pill pill-${tone}`);
      setText(roles, rolesOf(node));
      setText(
        load,
        `leads ${node.leaders} of ${plural(node.replicas, 'replica')}${node.rack === '' ? '' : `, rack ${node.rack}`}`,
      );
      setText(figures, figuresOf(node));
      const offers = controlled?.offers.join() ?? '';
      if (offers === offered) return;
      offered = offers;
      fill(
        buttons,
        ...(controlled?.offers ?? []).map((action) => actionButton(id, action, problem)),
      );
    },
  };
}

function actionButton(id: number, action: NodeAction, problem: HTMLElement): HTMLElement {
  const [label, title] = actionWords[action];
  const button = make(
    'button',
    { type: 'button', title, 'aria-label': `${label} node ${id}`, 'data-action': action },
    label,
  );
  button.addEventListener('click', () => {
    button.disabled = true;
    setText(problem, '');
    ask(`/api/controls/${id}/${action}`, {
      method: 'POST',
      headers: { 'x-highwater-control': '1' },
    })
      .catch((error: unknown) => {
        setText(problem, error instanceof AnswerError ? error.message : 'it could not be done');
      })
      .finally(() => {
        button.disabled = false;
      });
  });
  return button;
}

/** What was done to it, if it is known here; else what the controllers and its own silence say. */
function conditionOf(
  node: NodeRow,
  controlled: ControlledNode | undefined,
): { readonly word: string; readonly tone: 'good' | 'warn' | 'bad' | 'plain' } {
  if (controlled !== undefined && controlled.condition !== 'running') {
    const isMild = controlled.condition === 'slowed' || controlled.condition === 'starting';
    return { word: controlled.condition, tone: isMild ? 'warn' : 'bad' };
  }
  if (node.state === 'fenced') return { word: 'fenced', tone: 'bad' };
  if (node.heardMs === null) return { word: 'not heard yet', tone: 'plain' };
  if (node.heardMs > 1_500)
    return { word: `silent for ${milliseconds(node.heardMs)}`, tone: 'warn' };
  if (node.state === 'stopping') return { word: 'stopping', tone: 'warn' };
  if (node.intent === 'drain') return { word: 'draining', tone: 'warn' };
  if (node.state === 'controller') return { word: 'controls', tone: 'good' };
  return { word: 'serves', tone: 'good' };
}

function rolesOf(node: NodeRow): string {
  const voter =
    node.voter === 'active'
      ? 'active controller'
      : node.voter === 'voter'
        ? 'standby controller'
        : (node.voter ?? '');
  return node.state === 'controller' ? voter : ['broker', voter].filter(Boolean).join(', ');
}

function figuresOf({ figures, address }: NodeRow): string {
  if (figures === null) return address;
  const loop = milliseconds(figures.loopDelayUs / 1_000);
  return `${address === '' ? '' : `${address} · `}${bytes(figures.residentBytes)} · loop ${loop}`;
}
