/**
 * Says when the node that serves the page is gone, and where the same is found: another node's
 * dashboard, to which the page moves by itself unless one says stay.
 */
import type { NodeRow } from '../../proto/dashboard/messages.ts';
import { keepToken } from './api.ts';
import { fill, make } from './element.ts';
import type { StreamCondition } from './feed-stream.ts';
import type { PageState } from './page-state.ts';

const moveAfterMs = 10_000;

export class ConnectionBanner {
  readonly #element: HTMLElement;
  readonly #state: PageState;
  readonly #onToken: () => void;
  #shown = '';
  #stays = false;

  constructor(element: HTMLElement, state: PageState, onToken: () => void) {
    this.#element = element;
    this.#state = state;
    this.#onToken = onToken;
  }

  show(condition: StreamCondition): void {
    if (condition.kind === 'live' || condition.kind === 'connecting') return this.#clear();
    if (condition.kind === 'refused' && condition.status === 401) return this.#askForToken();
    if (condition.kind !== 'lost' || this.#shown === 'token') return;
    const { node } = this.#state.cluster;
    const lostMs = Date.now() - condition.sinceMs;
    if (lostMs < 1_000) return;
    const others = this.#otherDashboards();
    const target = others[0];
    const isMoving = target !== undefined && !this.#stays && this.#state.controls.size === 0;
    if (isMoving && lostMs > moveAfterMs) {
      location.assign(`${target.url}/${location.hash}`);
      return;
    }
    const who = node === 0 ? 'The node' : `Node ${node}`;
    const left = Math.ceil((moveAfterMs - lostMs) / 1_000);
    this.#shown = 'lost';
    fill(
      this.#element,
      make(
        'p',
        { class: 'banner' },
        `${who} is gone: ${condition.reason}. What is shown is of ${Math.round(lostMs / 1_000)} s ago; trying again. `,
        isMoving && `Moving to node ${target.id} in ${left} s. `,
        ...others.map(({ id, url }) =>
          make('a', { href: `${url}/${location.hash}` }, `Node ${id}’s dashboard `),
        ),
        isMoving &&
          make('button', { type: 'button', on: { click: () => this.#stay() } }, 'Stay here'),
      ),
    );
  }

  #stay(): void {
    this.#stays = true;
  }

  #clear(): void {
    if (this.#shown === '') return;
    this.#shown = '';
    this.#stays = false;
    fill(this.#element);
  }

  #askForToken(): void {
    if (this.#shown === 'token') return;
    this.#shown = 'token';
    const input = make('input', { type: 'password', 'aria-label': 'Token', autocomplete: 'off' });
    const onSubmit = (event: Event): void => {
      event.preventDefault();
      keepToken(input.value);
      this.#shown = '';
      fill(this.#element);
      this.#onToken();
    };
    fill(
      this.#element,
      make(
        'form',
        { class: 'banner', on: { submit: onSubmit } },
        make('label', {}, 'This node asks who reads. Token: ', input),
        make('button', { type: 'submit' }, 'Show'),
      ),
    );
  }

  /** Those that were heard when the page last heard anything. */
  #otherDashboards(): { readonly id: number; readonly url: string }[] {
    const { nodes, node } = this.#state.cluster;
    return nodes
      .filter((one) => one.id !== node && one.http !== '' && (one.heardMs ?? 1e9) < 2_000)
      .map((one) => ({ id: one.id, url: `http://${reachable(one)}` }));
  }
}

/** A node that listens everywhere is found where its clients find it. */
function reachable({ http, address }: NodeRow): string {
  const port = http.slice(http.lastIndexOf(':'));
  const isEverywhere = http.startsWith('0.0.0.0:') || http.startsWith('[::]:');
  return isEverywhere ? address.slice(0, address.lastIndexOf(':')) + port : http;
}
