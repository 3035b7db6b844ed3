/**
 * Faults of an in-memory disk or key-value storage: rules of a predicate, which chooses operations,
 * and an effect.
 *
 *     disk.faults.add(allOf(onOperation('sync'), onPath(/\.log$/), nth(3)), failWith('EIO'));
 */
export type FileOperationKind =
  | 'open'
  | 'list'
  | 'stat'
  | 'make-directory'
  | 'rename'
  | 'remove'
  | 'sync-directory'
  | 'free-bytes'
  | 'lock'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'size'
  | 'close'
  | 'commit';

export interface FileOperation {
  readonly kind: FileOperationKind;
  /** The file or directory; for a commit the directory of the store. */
  readonly path: string;
  /** Bytes to read or write; 0 for the other kinds. */
  readonly bytes: number;
}

/** Chooses operations. It is asked once for each operation, in order, so it may count. */
export type FaultPredicate = (operation: FileOperation) => boolean;

/**
 * `fail`: rejects with the errno and does nothing. `short`: a read or write handles at most `bytes`.
 * `slow`: takes so many milliseconds more of the process's clock. `hang`: waits until the rule is
 * removed. `skip`: reports success and does nothing, as a disk that lies.
 */
export type FaultEffect =
  | { readonly kind: 'fail'; readonly errno: string }
  | { readonly kind: 'short'; readonly bytes: number }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'skip' };

export interface FaultRule {
  /** How many operations the rule has hit. */
  readonly hitCount: number;
  /** Ends the fault; operations that hang because of it go on. */
  remove(): void;
}

interface ActiveRule {
  readonly predicate: FaultPredicate;
  readonly effect: FaultEffect;
  readonly released: Promise<void>;
  readonly release: () => void;
  hitCount: number;
}

/** What the rules that hit one operation come to. */
export interface CombinedFault {
  readonly waitFor: readonly Promise<void>[];
  readonly delayMs: number;
  readonly errno: string | undefined;
  readonly bytesMax: number;
  readonly isSkipped: boolean;
}

const noFault: CombinedFault = {
  waitFor: [],
  delayMs: 0,
  errno: undefined,
  bytesMax: Number.POSITIVE_INFINITY,
  isSkipped: false,
};

export class DiskFaults {
  readonly #rules = new Set<ActiveRule>();

  add(predicate: FaultPredicate, effect: FaultEffect): FaultRule {
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const rule: ActiveRule = { predicate, effect, released, release, hitCount: 0 };
    this.#rules.add(rule);
    return {
      get hitCount() {
        return rule.hitCount;
      },
      remove: () => {
        this.#rules.delete(rule);
        rule.release();
      },
    };
  }

  /** Ends all faults. */
  clear(): void {
    for (const rule of this.#rules) rule.release();
    this.#rules.clear();
  }

  /** Asks every rule about an operation that is about to begin. */
  match(operation: FileOperation): CombinedFault {
    let fault = noFault;
    for (const rule of this.#rules) {
      if (!rule.predicate(operation)) continue;
      rule.hitCount++;
      fault = combine(fault, rule);
    }
    return fault;
  }
}

function combine(fault: CombinedFault, { effect, released }: ActiveRule): CombinedFault {
  switch (effect.kind) {
    case 'fail':
      return { ...fault, errno: fault.errno ?? effect.errno };
    case 'short':
      return { ...fault, bytesMax: Math.min(fault.bytesMax, effect.bytes) };
    case 'slow':
      return { ...fault, delayMs: fault.delayMs + effect.ms };
    case 'hang':
      return { ...fault, waitFor: [...fault.waitFor, released] };
    case 'skip':
      return { ...fault, isSkipped: true };
  }
}

export const failWith = (errno: string): FaultEffect => ({ kind: 'fail', errno });
export const shortTo = (bytes: number): FaultEffect => ({ kind: 'short', bytes });
export const slowBy = (ms: number): FaultEffect => ({ kind: 'slow', ms });
export const hang: FaultEffect = { kind: 'hang' };
export const skip: FaultEffect = { kind: 'skip' };

/** Every operation of these kinds. */
export function onOperation(...kinds: readonly FileOperationKind[]): FaultPredicate {
  return (operation) => kinds.includes(operation.kind);
}

/** Every operation on a path that the pattern finds. */
export function onPath(pattern: RegExp): FaultPredicate {
  return (operation) => operation.path.search(pattern) >= 0;
}

/** The `count`th operation it is asked about, from 1, and none else. */
export function nth(count: number): FaultPredicate {
  let asked = 0;
  return () => ++asked === count;
}

/** Asks from left to right and stops at the first no: a `nth` at the end counts what came so far. */
export function allOf(...predicates: readonly FaultPredicate[]): FaultPredicate {
  return (operation) => predicates.every((predicate) => predicate(operation));
}
