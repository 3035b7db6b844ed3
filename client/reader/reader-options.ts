/** What a user says about a reader, checked before anything is asked for. */
import {
  checkedChoice,
  checkedCount,
  checkedNode,
  checkedOptions,
  checkNames,
  invalidRequest,
  shown,
} from '../connection/checked-input.ts';
import type { Session } from '../session/session.ts';
import type { ReadFrom } from './core/replica-choice.ts';
import type { ReadEnd, ReadStart } from './start-offsets.ts';

export interface ReaderOptions {
  readonly topic: string;
  /** One partition; all of them if absent. */
  readonly partition?: number;
  /** `earliest` by default. */
  readonly from?: ReadStart;
  /** Where to end; never by default. */
  readonly to?: ReadEnd;
  /** What to do where the next offset is no longer kept, or not written yet; `fail` by default. */
  readonly onOutOfRange?: 'fail' | 'earliest' | 'latest';
  /** False is short for `to: 'latest'`. */
  readonly follow?: boolean;
  /** `leader` by default; `nearest` prefers the own rack; or one node. */
  readonly readFrom?: 'leader' | 'nearest' | number;
  /** This reader's rack, for `nearest`. */
  readonly rack?: string;
  /** `session` by default: never behind what this session has written or seen. */
  readonly level?: 'any' | 'session' | 'leader' | 'linearizable';
  /** Bytes that may be received ahead; 8 MiB by default. */
  readonly prefetchBytesMax?: number;
  /** The client's own by default. */
  readonly session?: Session;
  readonly signal?: AbortSignal;
}

const names: Readonly<Record<keyof ReaderOptions, true>> = {
  topic: true,
  partition: true,
  from: true,
  to: true,
  onOutOfRange: true,
  follow: true,
  readFrom: true,
  rack: true,
  level: true,
  prefetchBytesMax: true,
  session: true,
  signal: true,
};

/** What has a default, with a value each. */
export interface ReaderSettings {
  readonly readFrom: ReadFrom;
  readonly level: NonNullable<ReaderOptions['level']>;
  readonly onOutOfRange: NonNullable<ReaderOptions['onOutOfRange']>;
  readonly prefetchBytesMax: number;
}

const prefetchBytesMaxDefault = 8 * 1024 * 1024;
const levels = ['any', 'session', 'leader', 'linearizable'] as const;
const outOfRange = ['fail', 'earliest', 'latest'] as const;

/** Checks what the user gave. Throws INVALID_REQUEST for what cannot be meant. */
export function readerSettings(options: ReaderOptions): ReaderSettings {
  const { topic, from, to, readFrom = 'leader' } = checkedOptions(options, 'reader');
  checkNames(options, names, 'reader');
  if (typeof topic !== 'string') throw invalidRequest('a reader names its topic');
  checkPlace(from, ['earliest', 'latest'], 'from');
  checkPlace(to, ['latest'], 'to');
  return {
    readFrom:
      typeof readFrom === 'number'
        ? checkedNode(readFrom)
        : checkedChoice(readFrom, ['leader', 'nearest'], 'readFrom'),
    level: checkedChoice(options.level ?? 'session', levels, 'level'),
    onOutOfRange: checkedChoice(options.onOutOfRange ?? 'fail', outOfRange, 'onOutOfRange'),
    prefetchBytesMax: checkedCount(
      options.prefetchBytesMax ?? prefetchBytesMaxDefault,
      1,
      'prefetchBytesMax',
    ),
  };
}

/** A word, or an object such as `{ offset: 12n }`; what the object holds is checked where it is used. */
function checkPlace(
  place: ReadStart | ReadEnd | undefined,
  words: readonly string[],
  what: string,
): void {
  if (place === undefined || (typeof place === 'object' && place !== null)) return;
  if (typeof place === 'string' && words.includes(place)) return;
  throw invalidRequest(
    `${what} ${shown(place)}: expected ${words.join(', ')} or an object such as { offset: 12n }`,
  );
}
