/**
 * A lesson told on a terminal: each line with the time since the beginning, wrapped to the width, in
 * colour where there is a terminal that wants it. What is told is kept in the recording as well.
 */
import type { Output } from '../../../client/cli/output.ts';
import type { Claims } from './claims.ts';
import type { Moment, MomentKind, Recording } from './recording.ts';

export interface StoryLook {
  /** Characters in a line. */
  readonly width: number;
  readonly hasColour: boolean;
}

const widthDefault = 100;
const widthMin = 40;
const widthMax = 120;
const escape = '\u001b[';
const colours = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const;
type Colour = keyof typeof colours;

const looks: Readonly<Record<MomentKind, { readonly mark: string; readonly colour?: Colour }>> = {
  chapter: { mark: '■', colour: 'bold' },
  act: { mark: '•' },
  why: { mark: '?', colour: 'cyan' },
  look: { mark: '→', colour: 'yellow' },
  event: { mark: '·', colour: 'dim' },
};

/** How the story looks here: plain and 100 wide where the output is no terminal. */
export function lookOf(
  output: Output,
  environment: Readonly<Record<string, string | undefined>>,
): StoryLook {
  const { columns } = output;
  const wantsNone = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  return {
    width: Math.min(widthMax, Math.max(widthMin, columns ?? widthDefault)),
    hasColour: columns !== undefined && !wantsNone,
  };
}

export class Story {
  readonly #recording: Recording;
  readonly #say: (line: string) => void;
  readonly #look: StoryLook;

  constructor(recording: Recording, say: (line: string) => void, look: StoryLook) {
    this.#recording = recording;
    this.#say = say;
    this.#look = look;
  }

  /** A new part begins. */
  chapter(text: string): void {
    this.#say('');
    this.#tell('chapter', text);
  }

  /** Something was done, or was seen. */
  act(text: string): void {
    this.#tell('act', text);
  }

  /** Why it is so. */
  why(text: string): void {
    this.#tell('why', text);
  }

  /** Where to look. */
  look(text: string): void {
    this.#tell('look', text);
  }

  /** Something that the cluster reported by itself. */
  event(text: string): void {
    this.#tell('event', text);
  }

  /** What was claimed and observed; what to take along if all of it holds. */
  verdict(claims: Claims, takeaway: string): void {
    this.#say('');
    this.#say(this.#painted('Verdict', 'bold'));
    for (const { claim, expected, observed, holds } of claims.all) {
      const mark = this.#painted(holds ? '✓' : '✗', holds ? 'green' : 'red');
      this.#lines(`  ${mark} `, 4, claim);
      const values = expected === observed ? observed : `${observed} (expected ${expected})`;
      this.#lines('      ', 6, values, 'dim');
    }
    const text = claims.hold ? 'The claim holds.' : 'The claim does not hold.';
    this.#say(this.#painted(text, claims.hold ? 'green' : 'red'));
    if (!claims.hold) return;
    this.#say('');
    this.#lines('Take along: ', 12, takeaway);
  }

  #tell(kind: MomentKind, text: string): void {
    const moment = this.#recording.tell(kind, text);
    const { mark, colour } = looks[kind];
    this.#lines(`${timeText(moment)} ${mark} `, 10, text, colour);
  }

  #lines(head: string, indent: number, text: string, colour?: Colour): void {
    wrapped(text, this.#look.width - indent).forEach((line, index) => {
      const before = index === 0 ? head : ' '.repeat(indent);
      this.#say(before + (colour === undefined ? line : this.#painted(line, colour)));
    });
  }

  #painted(text: string, colour: Colour): string {
    return this.#look.hasColour ? `${escape}${colours[colour]}m${text}${escape}0m` : text;
  }
}

/** Such as ` 3.2 s` in seven characters. */
function timeText({ atMs }: Moment): string {
  return `${(atMs / 1_000).toFixed(1)} s`.padStart(7);
}

/** Lines of at most this many characters, cut between words; a word that is longer keeps its line. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
