/**
 * The cluster's own account of what happens, told as it comes. The journal is the active controller's:
 * when that one goes, the next one's is followed, and what both tell is told once.
 */
import type { Client, ClusterEvent } from '../../../client/index.ts';

const retryMs = 200;
/** Events of the start that every lesson has. */
const untold = new Set([
  'cluster-formed',
  'broker-registered',
  'topic-created',
  'features-finalised',
  'broker-intent-changed',
]);

/** Tells every event from this moment on, until it is closed. */
export function followJournal(
  client: Client,
  tell: (text: string) => void,
): { close(): Promise<void> } {
  const stop = new AbortController();
  const ended = follow(client, tell, stop.signal);
  return {
    async close() {
      stop.abort();
      await ended;
    },
  };
}

async function follow(
  client: Client,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const told = new Set<string>();
  while (!signal.aborted) {
    try {
      for await (const event of client.admin.events({ follow: true, signal })) {
        const key = `${event.wallMs} ${event.kind} ${event.subject}`;
        if (told.has(key)) continue;
        told.add(key);
        if (!untold.has(event.kind)) tell(eventText(event));
      }
    } catch {
      // The broker or the controller behind it is gone: the next one is asked.
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

/** Such as `leader-elected orders/0: leader-lost (leader 3; leaderEpoch 2; …)`. */
export function eventText({ kind, subject, reason, evidence }: ClusterEvent): string {
  const facts = Object.entries(evidence)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name} ${value.replace(/^(\d+)\.\d+$/, '$1')}`)
    .join('; ');
  const why = reason === '' ? '' : `: ${reason}`;
  return `${kind} ${subject}${why}${facts === '' ? '' : ` (${facts})`}`;
}
