/** How patient a link is. Every wait of the link is one of these. */
import { limits } from '../model/limits.ts';

export interface LinkTimings {
  /** From accepting or opening a connection (TLS included) to the peer's hello. */
  readonly helloMs: number;
  /** From dialling to an open connection; after that the peer counts as unreachable. */
  readonly dialMs: number;
  /** How often each side says that it lives. */
  readonly heartbeatMs: number;
  /** Nothing heard for so long closes the link as silent. Several heartbeats fit in. */
  readonly silentMs: number;
  /** The wait before the second attempt in a row; each further failure doubles it. */
  readonly backoffMsMin: number;
  /** The longest wait, and how long a link must have been up to count as a success. */
  readonly backoffMsMax: number;
}

export const defaultLinkTimings: LinkTimings = {
  helloMs: limits.linkHelloMsMax,
  dialMs: 2_000,
  heartbeatMs: 500,
  silentMs: 2_000,
  backoffMsMin: 25,
  backoffMsMax: 500,
};
