/**
 * How many bytes each broker may send ahead. Invariant: bytes received and not consumed, and credit
 * not used, are together at most `bytesMax` (and one batch for each connection, which a server sends
 * even where the credit is smaller).
 */
export interface CreditLine {
  /** Granted and not used; below 0 after a batch larger than the credit. */
  credit: number;
}

/** Grants for the lines that have used half of their share, out of what is free. */
export function decideGrants<Line extends CreditLine>(
  lines: readonly Line[],
  bytesMax: number,
  bytesQueued: number,
): readonly { readonly line: Line; readonly bytes: number }[] {
  if (lines.length === 0) return [];
  let used = bytesQueued;
  for (const line of lines) used += Math.max(0, line.credit);
  let free = bytesMax - used;
  const share = Math.max(1, Math.floor(bytesMax / lines.length));
  const grants: { line: Line; bytes: number }[] = [];
  for (const line of lines) {
    const wanted = share - line.credit;
    if (free <= 0) break;
    if (line.credit > share / 2 || (wanted > free && line.credit > 0)) continue;
    const bytes = Math.min(wanted, free);
    grants.push({ line, bytes });
    free -= bytes;
  }
  return grants;
}
