/**
 * Patterns of topic names: regular expressions of the plain kind, matched against the whole name in
 * time proportional to its length. The engine of the language would do for friends; a pattern comes
 * from a client, and with backtracking a few characters of it can stop a node for minutes.
 *
 * Taken: literals, `.`, classes `[a-z]` and `[^…]`, `\d` `\w`, `\` before a sign, groups, `|`, `*`, `+`,
 * `?`, and `^` and `$` at the ends, where they say what is the case anyway.
 */

export type CompiledPattern =
  | { readonly kind: 'pattern'; matches(name: string): boolean }
  | { readonly kind: 'fault'; readonly reason: string };

type CharacterTest = (code: number) => boolean;

/** A state of the automaton: reads a character, or goes on without one. */
type Node =
  | { readonly kind: 'read'; readonly test: CharacterTest; next: number }
  | { readonly kind: 'fork'; next: number; other: number }
  | { readonly kind: 'end' };

const patternLengthMax = 255;

/** Compiles a pattern, or says what is wrong with it. */
export function compilePattern(text: string): CompiledPattern {
  if (text.length > patternLengthMax)
    return { kind: 'fault', reason: `longer than ${patternLengthMax} characters` };
  const body = text.replace(/^\^/, '').replace(/(?<!\\)\$$/, '');
  const compiler = new Compiler(body);
  const start = compiler.compile();
  if (typeof start !== 'number') return start;
  const { nodes } = compiler;
  return { kind: 'pattern', matches: (name) => run(nodes, start, name) };
}

/** All states at once, one character after the other. */
function run(nodes: readonly Node[], start: number, name: string): boolean {
  let states = new Set<number>();
  enter(nodes, start, states);
  for (let at = 0; at < name.length && states.size > 0; at++) {
    const code = name.charCodeAt(at);
    const after = new Set<number>();
    for (const state of states) {
      const node = nodes[state];
      if (node?.kind === 'read' && node.test(code)) enter(nodes, node.next, after);
    }
    states = after;
  }
  for (const state of states) if (nodes[state]?.kind === 'end') return true;
  return false;
}

function enter(nodes: readonly Node[], at: number, states: Set<number>): void {
  const pending = [at];
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    if (states.has(state)) continue;
    states.add(state);
    const node = nodes[state];
    if (node?.kind === 'fork') pending.push(node.next, node.other);
  }
}

class PatternFault {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Builds the automaton from its end: every part is compiled knowing where it goes on. */
class Compiler {
  readonly nodes: Node[] = [{ kind: 'end' }];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  compile(): number | { readonly kind: 'fault'; readonly reason: string } {
    const tree = this.#alternatives();
    if (tree instanceof PatternFault) return { kind: 'fault', reason: tree.reason };
    if (this.#at < this.#text.length) return { kind: 'fault', reason: 'a ) without its (' };
    return tree(0);
  }

  #alternatives(): Part | PatternFault {
    const parts: Part[] = [];
    for (;;) {
      const part = this.#sequence();
      if (part instanceof PatternFault) return part;
      parts.push(part);
      if (this.#text[this.#at] !== '|') break;
      this.#at++;
    }
    return (next) => parts.map((part) => part(next)).reduce((a, b) => this.#fork(a, b));
  }

  #sequence(): Part | PatternFault {
    const parts: Part[] = [];
    while (this.#at < this.#text.length && !'|)'.includes(this.#text.charAt(this.#at))) {
      const part = this.#repeated();
      if (part instanceof PatternFault) return part;
      parts.push(part);
    }
    return (next) => parts.reduceRight((after, part) => part(after), next);
  }

  #repeated(): Part | PatternFault {
    const part = this.#atom();
    if (part instanceof PatternFault) return part;
    const sign = this.#text[this.#at];
    if (sign === '{') return new PatternFault('counts in braces are not taken');
    if (sign !== '*' && sign !== '+' && sign !== '?') return part;
    this.#at++;
    if (sign === '?') return (next) => this.#fork(part(next), next);
    return (next) => {
      const loop = this.#fork(next, next);
      const node = this.nodes[loop];
      const body = part(loop);
      if (node?.kind === 'fork') node.other = body;
      return sign === '+' ? body : loop;
    };
  }

  #atom(): Part | PatternFault {
    const sign = this.#text.charAt(this.#at++);
    if (sign === '(') {
      if (this.#text[this.#at] === '?') return new PatternFault('groups that begin with (?');
      const inner = this.#alternatives();
      if (inner instanceof PatternFault) return inner;
      return this.#text[this.#at++] === ')' ? inner : new PatternFault('a ( without its )');
    }
    if ('*+?{'.includes(sign)) return new PatternFault(`nothing before ${sign}`);
    if ('^$'.includes(sign)) return new PatternFault(`${sign} inside the pattern`);
    if (sign === '[') return this.#characterClass();
    if (sign === '.') return this.#read(() => true);
    const test = sign === '\\' ? this.#escaped() : isCode(sign);
    return test instanceof PatternFault ? test : this.#read(test);
  }

  #characterClass(): Part | PatternFault {
    const isNegated = this.#text[this.#at] === '^';
    if (isNegated) this.#at++;
    const tests: CharacterTest[] = [];
    while (this.#text[this.#at] !== ']') {
      const sign = this.#text[this.#at++];
      if (sign === undefined) return new PatternFault('a [ without its ]');
      const last = this.#text.charAt(this.#at + 1);
      if (sign !== '\\' && this.#text[this.#at] === '-' && last !== ']' && last !== '') {
        tests.push(between(sign, last));
        this.#at += 2;
        continue;
      }
      const test = sign === '\\' ? this.#escaped() : isCode(sign);
      if (test instanceof PatternFault) return test;
      tests.push(test);
    }
    this.#at++;
    return this.#read((code) => tests.some((test) => test(code)) !== isNegated);
  }

  #escaped(): CharacterTest | PatternFault {
    const sign = this.#text[this.#at++];
    if (sign === 'd') return between('0', '9');
    if (sign === 'w') return (code) => /\w/.test(String.fromCharCode(code));
    if (sign === undefined || /[a-zA-Z0-9]/.test(sign))
      return new PatternFault(`\\${sign ?? ''} is not taken`);
    return isCode(sign);
  }

  #read(test: CharacterTest): Part {
    return (next) => this.nodes.push({ kind: 'read', test, next }) - 1;
  }

  #fork(next: number, other: number): number {
    return this.nodes.push({ kind: 'fork', next, other }) - 1;
  }
}

/** Adds the states of a part in front of the state that comes next; returns where it begins. */
type Part = (next: number) => number;

function isCode(sign: string): CharacterTest {
  const code = sign.charCodeAt(0);
  return (other) => other === code;
}

function between(first: string, last: string): CharacterTest {
  const [from, to] = [first.charCodeAt(0), last.charCodeAt(0)];
  return (code) => code >= from && code <= to;
}
