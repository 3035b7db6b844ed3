/** Why a goal is missed where it is, and what would get there: found by profiles, shown with the figure. */
const reasons: Readonly<Record<string, string>> = {};

/** What is known of a goal that a run has missed. */
export function reasonOf(key: string): string {
  return reasons[key] ?? 'no profile explains it yet: runs before had reached it';
}
