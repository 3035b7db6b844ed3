/**
 * What verbs print: tables for people, one JSON value a line for programs. Offsets and other bigints
 * are printed whole. Results go to standard output, everything else to standard error.
 */
export interface Output {
  readonly isJson: boolean;
  /** Characters in a line of the terminal; undefined where the output is no terminal. */
  readonly columns: number | undefined;
  /** A result: a table of rows for people, one object a row as JSON. */
  rows(columns: readonly string[], rows: readonly Row[]): void;
  /** A single result. */
  value(value: Row): void;
  /** A line for people only; not printed as JSON. */
  say(line: string): void;
  /** Raw bytes of a result, such as records in a pipe. Resolves when more may be written. */
  write(bytes: Uint8Array | string): Promise<void>;
  /** A line on standard error: progress, warnings, errors. */
  note(line: string): void;
}

export type Cell = string | number | bigint | boolean | undefined | readonly Cell[];
export type Row = Readonly<Record<string, Cell>>;

/** Where output goes; process.stdout and process.stderr are two of them. */
export interface Sink {
  write(chunk: Uint8Array | string): boolean;
  once(event: 'drain' | 'error', listener: () => void): unknown;
  /** Set where the sink is a terminal. */
  readonly columns?: number;
}

/** Whoever read the output has gone: there is nothing left to do for anybody. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** Output over two sinks; `onGone` is called when nobody reads the results any more. */
export function createOutput(
  sinks: { readonly out: Sink; readonly err: Sink },
  isJson: boolean,
  onGone: () => void = () => undefined,
): Output {
  const { out, err } = sinks;
  let isClosed = false;
  let onClosed: (() => void) | undefined;
  // A closed pipe is an error event, which would end the process if nobody listened.
  out.once('error', () => {
    isClosed = true;
    onClosed?.();
    onGone();
  });
  return {
    isJson,
    columns: out.columns,
    rows(columns, rows) {
      if (isJson) for (const row of rows) out.write(`${toJson(row)}\n`);
      else out.write(`${table(columns, rows)}\n`);
    },
    value(value) {
      if (isJson) out.write(`${toJson(value)}\n`);
      else out.write(`${pairs(value)}\n`);
    },
    say(line) {
      if (!isJson) out.write(`${line}\n`);
    },
    async write(bytes) {
      if (isClosed) throw new OutputClosed();
      if (out.write(bytes)) return;
      await new Promise<void>((resolve) => {
        onClosed = resolve;
        out.once('drain', resolve);
      });
      if (isClosed) throw new OutputClosed();
    },
    note(line) {
      err.write(`${line}\n`);
    },
  };
}

/** JSON in which a bigint is a number where that is exact, and a text where not. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'bigint') return inner;
    const number = Number(inner);
    return Number.isSafeInteger(number) ? number : inner.toString();
  });
}

function text(cell: Cell): string {
  if (cell === undefined || cell === '') return '-';
  if (Array.isArray(cell))
    return cell.length === 0 ? '-' : cell.map((item: Cell) => text(item)).join(',');
  return String(cell);
}

function table(columns: readonly string[], rows: readonly Row[]): string {
  const lines = [
    columns.map((column) => heading(column)),
    ...rows.map((row) => columns.map((column) => text(row[column]))),
  ];
  const widths = columns.map((_, index) =>
    Math.max(...lines.map((line) => line[index]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A column is named as the field of the JSON; `isActive` is read as IS-ACTIVE. */
function heading(column: string): string {
  return column.replaceAll(/[A-Z]/g, '-$&').toUpperCase();
}

function pairs(value: Row): string {
  const width = Math.max(...Object.keys(value).map((key) => key.length));
  return Object.entries(value)
    .map(([key, cell]) => `${key.padEnd(width)}  ${text(cell)}`)
    .join('\n');
}
