/**
 * How many bytes each broker may send ahead. Invariant: bytes received and not consumed, and credit
 * not used, are together at most `bytesMax` (and one batch for each connection, which a server sends
 * even where the credit is smaller). A line that came when all credit was with the others is not left to
 * starve beside credit that they do not use: while little is queued it gets an eighth of its share more.
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
  const starvedBytes = Math.ceil(share / 8);
  const grants: { line: Line; bytes: number }[] = [];
  for (const line of lines) {
    const wanted = share - line.credit;
    const isStarved = line.credit <= 0 && bytesQueued < share;
    const isShort = free <= 0 || (wanted > free && line.credit > 0);
    if (line.credit > share / 2 || (isShort && !isStarved)) continue;
    // What a batch took beyond the credit has been consumed: it is paid back beside what is free, or a
    // line could stay below 0 with nothing under way that would ever bring the next grant.
    const debt = Math.max(0, -line.credit);
    const bytes = Math.max(Math.min(wanted, free + debt), isStarved ? debt + starvedBytes : 1);
    grants.push({ line, bytes });
    free -= bytes - debt;
  }
  return grants;
}
