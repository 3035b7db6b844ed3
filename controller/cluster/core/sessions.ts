/**
 * Which brokers have been heard of (rule 6.8): a broken connection is a hint, silence the proof.
 *
 * Every controller keeps this, since brokers report to all of them: a new active one counts from its
 * own last contact and need not wait a whole session.
 *
 * Time here is the time in which this process was able to listen: its own stalls are nobody's silence.
 * A session so measured ends no earlier than the broker's lease, which runs from the sending (rule 6.7).
 */
import type { BrokerImage, MetadataImage } from '../../../proto/metadata/image.ts';
import type { NodeId } from '../../../proto/model/ids.ts';
import type { BrokerEpoch } from '../../../proto/model/offset.ts';

/** Lives in memory. */
export interface SessionsState {
  readonly sessionMs: number;
  /** How long a broker whose connection broke may stay silent, and be dialled again. */
  readonly hintMs: number;
  /** Time in which this process was able to listen; only grows. */
  listenedMs: number;
  readonly contacts: Map<NodeId, Contact>;
}

interface Contact {
  readonly brokerEpoch: BrokerEpoch;
  /** Listening time of the last word. */
  heardMs: number;
  /** Listening time at which the connection broke; undefined: it stands, or a word came since. */
  brokenMs: number | undefined;
  /** A new connection was refused: nobody listens there any more. */
  isRefused: boolean;
  /** Listening time at which the last storage stamp was given out. */
  stampedMs: number;
}

/** Clocks of two machines may differ in rate: the controller waits this much longer. */
const marginShare = 0.05;
const stampMs = 60_000;

export function createSessions(options: {
  readonly sessionMs: number;
  readonly hintMs: number;
}): SessionsState {
  return { ...options, listenedMs: 0, contacts: new Map() };
}

/** Time passed in which words that had arrived were taken in. */
export function listen(sessions: SessionsState, ableToListenMs: number): void {
  sessions.listenedMs += ableToListenMs;
}

/** A broker was heard of. A word of an earlier incarnation says nothing about a later one. */
export function heard(sessions: SessionsState, nodeId: NodeId, brokerEpoch: BrokerEpoch): void {
  const contact = sessions.contacts.get(nodeId);
  if (contact?.brokerEpoch === brokerEpoch) {
    contact.heardMs = sessions.listenedMs;
    contact.brokenMs = undefined;
    contact.isRefused = false;
  } else if (contact === undefined || contact.brokerEpoch < brokerEpoch) {
    begin(sessions, nodeId, brokerEpoch);
  }
}

/** The connection to a broker broke, or a new one was refused. */
export function linkBroke(sessions: SessionsState, nodeId: NodeId, isRefused: boolean): void {
  const contact = sessions.contacts.get(nodeId);
  if (contact === undefined) return;
  contact.brokenMs ??= sessions.listenedMs;
  contact.isRefused ||= isRefused;
}

/** True if the registered incarnation was heard of within its session and nothing hints at its end. */
export function isLive(sessions: SessionsState, broker: BrokerImage): boolean {
  const contact = sessions.contacts.get(broker.nodeId);
  return contact?.brokerEpoch === broker.brokerEpoch && contact.brokenMs === undefined
    ? sessions.listenedMs - contact.heardMs <= sessions.sessionMs
    : false;
}

/** True if it is time for the next storage stamp; counted from here on. */
export function takeStampTurn(sessions: SessionsState, nodeId: NodeId): boolean {
  const contact = sessions.contacts.get(nodeId);
  if (contact === undefined || sessions.listenedMs - contact.stampedMs < stampMs) return false;
  contact.stampedMs = sessions.listenedMs;
  return true;
}

/** A broker whose session has ended, and how that is known. */
export interface ExpiredSession {
  readonly broker: BrokerImage;
  readonly reason: string;
  readonly silentMs: number;
}

/** The registered brokers that are not fenced and whose session has ended. */
export function expiredSessions(
  sessions: SessionsState,
  image: Pick<MetadataImage, 'brokers'>,
): ExpiredSession[] {
  const expired: ExpiredSession[] = [];
  for (const broker of image.brokers.values()) {
    if (broker.state === 'fenced') continue;
    const { nodeId, brokerEpoch } = broker;
    let contact = sessions.contacts.get(nodeId);
    if (contact === undefined || contact.brokerEpoch < brokerEpoch) {
      // Not heard of by this controller: its session begins with the first look.
      contact = begin(sessions, nodeId, brokerEpoch);
    }
    const reason = endOf(sessions, contact);
    const silentMs = sessions.listenedMs - contact.heardMs;
    if (reason !== undefined) expired.push({ broker, reason, silentMs });
  }
  return expired;
}

function endOf(sessions: SessionsState, contact: Contact): string | undefined {
  const { listenedMs, sessionMs, hintMs } = sessions;
  if (contact.brokenMs !== undefined) {
    if (contact.isRefused) return 'its connection broke and a new one was refused';
    if (listenedMs - contact.brokenMs >= hintMs)
      return 'its connection broke and it was not heard since';
  }
  const patienceMs = sessionMs * (1 + marginShare);
  return listenedMs - contact.heardMs > patienceMs ? 'its session ended' : undefined;
}

function begin(sessions: SessionsState, nodeId: NodeId, brokerEpoch: BrokerEpoch): Contact {
  const { listenedMs } = sessions;
  const contact: Contact = {
    brokerEpoch,
    heardMs: listenedMs,
    brokenMs: undefined,
    isRefused: false,
    stampedMs: listenedMs,
  };
  sessions.contacts.set(nodeId, contact);
  return contact;
}
