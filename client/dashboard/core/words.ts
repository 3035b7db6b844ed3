/** Numbers as people read them. */

/** 1234567 → 1,234,567 */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** Short: 950, 12.3k, 4.5M */
export function short(value: number): string {
  if (value < 1_000) return String(Math.round(value));
  if (value < 1_000_000) return `${trimmed(value / 1_000)}k`;
  return value < 1e9 ? `${trimmed(value / 1e6)}M` : `${trimmed(value / 1e9)}G`;
}

export function bytes(value: number): string {
  if (value < 1_000) return `${Math.round(value)} B`;
  if (value < 1e6) return `${trimmed(value / 1e3)} kB`;
  return value < 1e9 ? `${trimmed(value / 1e6)} MB` : `${trimmed(value / 1e9)} GB`;
}

export function milliseconds(value: number | undefined): string {
  if (value === undefined) return '–';
  if (value < 10) return `${value.toFixed(1)} ms`;
  return value < 1_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(1)} s`;
}

/** 3 of one, 1 of the other. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

function trimmed(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}
