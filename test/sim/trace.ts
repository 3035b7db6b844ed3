/**
 * The trace of a run as one number, and its last lines for whoever reads a failure. Two runs of one
 * seed must give the same number; anything that does not come from the seed changes it.
 */
const linesKept = 4_000;

export class Trace {
  readonly #lines: string[] = [];
  #hash = 0x811c9dc5;
  #count = 0;

  /** Adds one line: a time and what happened. */
  add(line: string): void {
    let hash = this.#hash;
    for (let at = 0; at < line.length; at++) {
      hash = Math.imul(hash ^ line.charCodeAt(at), 0x01000193);
    }
    this.#hash = Math.imul(hash ^ 10, 0x01000193);
    this.#count++;
    this.#lines.push(line);
    if (this.#lines.length > 2 * linesKept) this.#lines.splice(0, linesKept);
  }

  /** Hash and number of lines. */
  get stamp(): string {
    return `${(this.#hash >>> 0).toString(16).padStart(8, '0')}-${this.#count}`;
  }

  get tail(): readonly string[] {
    return this.#lines.slice(-linesKept);
  }
}
