/** Shell completion, made from the table of verbs: words of verbs first, then options. */
import { commonOptions } from './arguments.ts';
import type { Verb } from './verb.ts';

/** Shells for which there is a script. */
export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** What may be typed next: a word, and what it means. */
interface Choice {
  readonly word: string;
  readonly meaning: string;
  /** An option that takes a value. */
  readonly takesValue: boolean;
}

/** What may follow some words. */
interface Place {
  readonly after: string;
  readonly choices: readonly Choice[];
}

/** The script for one shell. */
export function completionScript(shell: Shell, verbs: readonly Verb[]): string {
  const places = placesOf(verbs);
  switch (shell) {
    case 'bash':
      return bashScript(places);
    case 'zsh':
      return zshScript(places);
    case 'fish':
      return fishScript(places);
  }
}

/** The longest first, so that the first that fits is the right one; the beginning is last. */
function placesOf(verbs: readonly Verb[]): Place[] {
  const places: Place[] = verbs.map((verb) => ({ after: verb.name, choices: optionsOf(verb) }));
  const families = new Set(verbs.filter(isOfFamily).map((verb) => firstWord(verb)));
  for (const family of families) {
    const members = verbs.filter((verb) => isOfFamily(verb) && firstWord(verb) === family);
    places.push({
      after: family,
      choices: members.map(({ name, summary }) => choice(name.slice(family.length + 1), summary)),
    });
  }
  const first = verbs.map((verb) =>
    choice(firstWord(verb), isOfFamily(verb) ? `highwater ${firstWord(verb)} …` : verb.summary),
  );
  const unique = first.filter(
    (one, index) => first.findIndex(({ word }) => word === one.word) === index,
  );
  places.sort((a, b) => b.after.split(' ').length - a.after.split(' ').length);
  return [...places, { after: '', choices: unique }];
}

function isOfFamily({ name }: Verb): boolean {
  return name.includes(' ');
}

function firstWord({ name }: Verb): string {
  return name.split(' ')[0] ?? name;
}

function optionsOf(verb: Verb): Choice[] {
  return [...verb.options, ...commonOptions].map(({ name, meaning, value }) =>
    choice(`--${name}`, meaning, value !== undefined),
  );
}

function choice(word: string, meaning: string, takesValue = false): Choice {
  return { word, meaning, takesValue };
}

function bashScript(places: readonly Place[]): string {
  return [
    '_highwater() {',
    '  local words=""',
    '  case "${COMP_WORDS[*]:1:COMP_CWORD-1}" in',
    ...places.map(
      ({ after, choices }) =>
        `    ${casePattern(after)}) words=${quoted(choices.map(({ word }) => word).join(' '))} ;;`,
    ),
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    '}',
    'complete -o default -F _highwater highwater',
    '',
  ].join('\n');
}

function zshScript(places: readonly Place[]): string {
  return [
    '#compdef highwater',
    '_highwater() {',
    '  local -a choices',
    '  case "${words[2,CURRENT-1]}" in',
    ...places.map(({ after, choices }) => {
      const list = choices.map(({ word, meaning }) => quoted(`${word}:${meaning}`)).join(' ');
      return `    (${casePattern(after)}) choices=(${list}) ;;`;
    }),
    '  esac',
    "  _describe 'highwater' choices || _files",
    '}',
    'compdef _highwater highwater',
    '',
  ].join('\n');
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ after, choices }) => {
    const seen = after.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
    return choices.map(({ word, meaning, takesValue }) => {
      const isOption = word.startsWith('--');
      const what = isOption ? `-l ${word.slice(2)}${takesValue ? ' -r' : ''}` : `-a ${word}`;
      const others = choices.map((one) => one.word).join(' ');
      const open = isOption ? [] : [`not __fish_seen_subcommand_from ${others}`];
      const when = after === '' ? '__fish_use_subcommand' : [...seen, ...open].join('; and ');
      return `complete -c highwater -n ${quoted(when)} ${what} -d ${quoted(meaning)}`;
    });
  });
  return ['complete -c highwater -f', ...lines, ''].join('\n');
}

/** Exactly these words, or these and more; nothing typed yet is the beginning. */
function casePattern(after: string): string {
  return after === '' ? '""' : `"${after}" | "${after} "*`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}
