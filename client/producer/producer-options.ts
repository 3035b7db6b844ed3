/** What a user may choose of a producer. */
import { type Acks, acksLevels } from '../../proto/model/acks.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { type CompressionName, compressionNames } from '../../proto/wire/compression-id.ts';
import { checkedChoice, checkNames } from '../connection/checked-input.ts';
import type { Session } from '../session/session.ts';
import type { Partitioner } from './topic-partitions.ts';

export interface ProducerOptions {
  /** Level of a send that names none; `all` by default. */
  readonly acks?: Acks;
  /** `none` by default. Codecs other than gzip are optional packages. */
  readonly compression?: CompressionName;
  /** True by default: retries neither lose nor double a record. False: what may be written is not retried. */
  readonly idempotent?: boolean;
  /** Memory for records that are not acknowledged; 64 MiB by default. */
  readonly bufferBytesMax?: number;
  /** A batch that has reached this size is closed; 512 KiB by default. */
  readonly batchBytesTarget?: number;
  /** From `send` to the outcome, all attempts together; 120 s by default. */
  readonly deliveryTimeoutMs?: number;
  /** How long a leader may wait for the level in one attempt; 30 s by default. */
  readonly requestTimeoutMs?: number;
  /** Silence after which a leader that owes answers is examined; 2 s by default. */
  readonly silenceMs?: number;
  /** How long `close` waits for what is under way; 10 s by default. */
  readonly closeTimeoutMs?: number;
  /** Instead of murmur2 by key and sticky without one. */
  readonly partitioner?: Partitioner;
  /** What is written counts for reads of this session; the client's own by default. */
  readonly session?: Session;
}

const MiB = 1024 * 1024;
const defaults: ProducerSettings = {
  acks: 'all',
  compression: 'none',
  idempotent: true,
  bufferBytesMax: 64 * MiB,
  batchBytesTarget: MiB / 2,
  deliveryTimeoutMs: 120_000,
  requestTimeoutMs: 30_000,
  silenceMs: 2_000,
  closeTimeoutMs: 10_000,
};
const sweepMsMax = 250;

/** The options with a value each. */
export type ProducerSettings = Required<Omit<ProducerOptions, 'partitioner' | 'session'>>;

/** The defaults overlaid with what was given. Throws INVALID_CONFIG for what cannot be meant. */
export function producerSettings(options: ProducerOptions): ProducerSettings {
  checkNames(options, { ...defaults, partitioner: true, session: true }, 'producer');
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const settings: ProducerSettings = { ...defaults, ...Object.fromEntries(given) };
  checkedChoice(settings.acks, acksLevels, 'acks');
  checkedChoice(settings.compression, compressionNames, 'compression');
  for (const [name, value] of Object.entries<unknown>(settings)) {
    if (typeof defaults[name as keyof ProducerSettings] !== 'number') continue;
    if (typeof value !== 'number' || !(value > 0))
      throw new HighwaterError(
        'INVALID_CONFIG',
        `${name} ${String(value)}: expected a number above 0`,
      );
  }
  return settings;
}

/** How often deadlines and silence are looked at. */
export function sweepMsOf({ deliveryTimeoutMs, silenceMs }: ProducerSettings): number {
  return Math.max(1, Math.min(sweepMsMax, deliveryTimeoutMs / 4, silenceMs / 4));
}
