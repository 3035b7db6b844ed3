/** What somebody may have meant who typed a word that is none. */

/** So many letters may be wrong, missing or too many. */
const differencesMax = 2;

/** The nearest of the words: one that is at most two letters away, or one that begins alike. */
export function nearestWord(typed: string, words: readonly string[]): string | undefined {
  const near = words
    .map((word) => ({ word, differences: differencesBetween(typed, word) }))
    .filter(({ differences }) => differences <= differencesMax)
    .toSorted((a, b) => a.differences - b.differences);
  return (
    near[0]?.word ?? words.find((word) => isBeginning(typed, word) || isBeginning(word, typed))
  );
}

function isBeginning(part: string, whole: string): boolean {
  return part !== '' && whole.startsWith(part);
}

/** How many letters have to be put in, taken out or replaced. */
function differencesBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > differencesMax) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let at = 1; at <= a.length; at++) {
    const next = [at];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (a[at - 1] === b[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
