/** Questions to the node, with the reader's token where the node asks for one. */

const tokenKey = 'highwater-token';

/** The node refused, or could not be asked. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Kept for this window only. */
export function keepToken(token: string): void {
  sessionStorage.setItem(tokenKey, token);
}

export function authorization(): Record<string, string> {
  const token = sessionStorage.getItem(tokenKey);
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

interface Question {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks, and takes the answer for what the node says it is. */
export async function ask<Answer>(path: string, init: Question = {}): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      headers: { ...authorization(), ...init.headers },
      signal: AbortSignal.timeout(10_000),
    });
  } catch {
    throw new AnswerError(0, 'the node does not answer');
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new AnswerError(response.status, messageOf(answer, response.status));
  return answer as Answer;
}

function messageOf(answer: unknown, status: number): string {
  if (typeof answer === 'object' && answer !== null && 'message' in answer)
    return String(answer.message);
  return `the node answered with status ${status}`;
}
