/**
 * Whether a history of reads and writes of registers could have come from one copy that each operation
 * touched at one moment between its invocation and its answer (Wing and Gong's search, with Lowe's
 * memory of what was tried). Registers are judged one by one: a history is linearizable if and only if
 * each of its registers' is.
 *
 * An operation without an answer may have happened at any time after its invocation, or never.
 */

export interface RegisterOperation {
  readonly register: string;
  readonly kind: 'read' | 'write';
  /** What was written, or what the read was answered; undefined: the register was never written. */
  readonly value: string | undefined;
  readonly invokedAt: number;
  /** Undefined: nobody knows what became of it. */
  readonly answeredAt: number | undefined;
}

export type LinearizabilityVerdict =
  | { readonly kind: 'linearizable' }
  | { readonly kind: 'violated'; readonly register: string }
  /** The search was given up. Not a pass. */
  | { readonly kind: 'unknown'; readonly register: string };

const statesMax = 2_000_000;

/** Judges every register. */
export function checkRegisters(operations: readonly RegisterOperation[]): LinearizabilityVerdict {
  for (const [register, own] of byRegister(operations)) {
    const verdict = checkRegister(own);
    if (verdict !== 'linearizable') return { kind: verdict, register };
  }
  return { kind: 'linearizable' };
}

function byRegister(
  operations: readonly RegisterOperation[],
): ReadonlyMap<string, readonly RegisterOperation[]> {
  const registers = new Map<string, RegisterOperation[]>();
  for (const operation of operations) {
    // A read without an answer says nothing.
    if (operation.kind === 'read' && operation.answeredAt === undefined) continue;
    const own = registers.get(operation.register);
    if (own === undefined) registers.set(operation.register, [operation]);
    else own.push(operation);
  }
  return registers;
}

/** A point of the search: what has happened, beyond a prefix of which everything has, and the value. */
interface Point {
  /** Everything before this index, by invocation, has happened. */
  readonly from: number;
  /** Indexes at or after `from` that have happened as well, sorted. */
  readonly ahead: readonly number[];
  readonly value: string | undefined;
}

function checkRegister(operations: readonly RegisterOperation[]): LinearizabilityVerdict['kind'] {
  const sorted = [...operations].sort((a, b) => a.invokedAt - b.invokedAt);
  const seen = new Set<string>();
  const open: Point[] = [{ from: 0, ahead: [], value: undefined }];
  for (let point = open.pop(); point !== undefined; point = open.pop()) {
    const candidates = nextOf(sorted, point);
    if (candidates === 'done') return 'linearizable';
    // Reads first: they change nothing, so taking one at once never closes a way.
    for (const index of candidates.reverse()) {
      const next = take(sorted, point, index);
      const key = `${next.from}|${next.ahead.join(',')}|${next.value ?? ''}`;
      if (seen.has(key)) continue;
      seen.add(key);
      open.push(next);
    }
    if (seen.size > statesMax) return 'unknown';
  }
  return 'violated';
}

/** The operations that may be next: invoked before the first answer that is still due. */
function nextOf(
  sorted: readonly RegisterOperation[],
  { from, ahead, value }: Point,
): number[] | 'done' {
  const happened = new Set(ahead);
  let firstAnswer = Number.POSITIVE_INFINITY;
  let isDone = true;
  const pending: number[] = [];
  for (let index = from; index < sorted.length; index++) {
    const operation = sorted[index];
    if (operation === undefined || operation.invokedAt > firstAnswer) break;
    if (happened.has(index)) continue;
    pending.push(index);
    if (operation.answeredAt === undefined) continue;
    isDone = false;
    firstAnswer = Math.min(firstAnswer, operation.answeredAt);
  }
  if (isDone) return 'done';
  const candidates = pending.filter((index) => {
    const operation = sorted[index];
    if (operation === undefined || operation.invokedAt > firstAnswer) return false;
    return operation.kind === 'write' || operation.value === value;
  });
  const read = candidates.find((index) => sorted[index]?.kind === 'read');
  return read === undefined ? candidates : [read];
}

function take(sorted: readonly RegisterOperation[], point: Point, index: number): Point {
  const operation = sorted[index];
  const ahead = new Set([...point.ahead, index]);
  let { from } = point;
  while (ahead.delete(from)) from++;
  return {
    from,
    ahead: [...ahead].sort((a, b) => a - b),
    value: operation?.kind === 'write' ? operation.value : point.value,
  };
}
