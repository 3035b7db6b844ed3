/** Passes a question of the page on to a node that answers, and its answer back as it comes. */
import { type IncomingMessage, request as openRequest, type ServerResponse } from 'node:http';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { ClusterControl } from './cluster-control.ts';

interface Passing {
  readonly node: number;
  /** The page asked for this node and no other. */
  readonly isChosen: boolean;
  end(): void;
}

/** A live node answers a question of the page at once; the bytes of its answer may take longer. */
const answerMs = 1_500;
const slowAnswerMs = 8_000;

export class NodeRelay {
  readonly #control: ClusterControl;
  readonly #passing = new Set<Passing>();

  constructor(control: ClusterControl) {
    this.#control = control;
  }

  /** To the chosen node, or to the first that answers; those that run undisturbed come first. */
  async pass(
    chosen: number | undefined,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const nodes = this.#control.nodes();
    const order = [
      ...nodes.filter(({ condition }) => condition === 'running'),
      ...nodes.filter(({ condition }) => condition === 'slowed' || condition === 'isolated'),
    ].map(({ id }) => id);
    for (const id of chosen === undefined ? order : [chosen]) {
      const answer = await this.#ask(id, request);
      if (answer === undefined) continue;
      this.#hand({ node: id, isChosen: chosen !== undefined }, answer, response);
      return;
    }
    throw new HighwaterError('CONNECTION_LOST', 'no node answers');
  }

  /** Streams that came from this node by chance end, so that their pages come back to another. */
  leave(node: number): void {
    for (const one of this.#passing) if (one.node === node && !one.isChosen) one.end();
  }

  #ask(id: number, { url, headers }: IncomingMessage): Promise<IncomingMessage | undefined> {
    const { authorization } = headers;
    const isLive = url?.startsWith('/api/live') === true;
    return new Promise((resolve) => {
      const upstream = openRequest(`http://${this.#control.http(id)}${url ?? '/'}`, {
        headers: authorization === undefined ? {} : { authorization },
      });
      const late = setTimeout(() => upstream.destroy(), isLive ? answerMs : slowAnswerMs);
      upstream.on('response', (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
      upstream.on('error', () => {
        clearTimeout(late);
        resolve(undefined);
      });
      upstream.end();
    });
  }

  #hand(
    from: { readonly node: number; readonly isChosen: boolean },
    answer: IncomingMessage,
    response: ServerResponse,
  ): void {
    const passing: Passing = {
      ...from,
      end: () => {
        answer.destroy();
        response.end();
      },
    };
    this.#passing.add(passing);
    const gone = (): void => {
      this.#passing.delete(passing);
      answer.destroy();
    };
    answer.on('error', () => response.destroy());
    answer.on('close', () => response.end());
    response.on('close', gone);
    const { 'content-type': type = 'application/json' } = answer.headers;
    response.writeHead(answer.statusCode ?? 502, {
      'content-type': type,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    answer.pipe(response);
  }
}
