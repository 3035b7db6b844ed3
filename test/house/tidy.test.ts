import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFiles, sourceFiles, textOf } from './sources.ts';

/** The rules of the house as a test. There is no list of exceptions: change the code, or the rule. */
const linesMax = 300;

const bannedFileWords = /(^|-)(utils?|helpers?|common|manager|misc|stuff)(-|\.|$)/;

/** Pattern, and what to write instead. */
const bannedText: readonly (readonly [RegExp, string])[] = [
  [/\b(TODO|FIXME|XXX)\b/, 'finish it, or write an issue and say nothing here'],
  [/\b(master|slave)\b/i, 'say leader and follower'],
  [/@ts-(ignore|nocheck|expect-error)/, 'make the types right'],
  [/(oxlint|eslint)-disable/, 'follow the rule, or change it for everybody in .oxlintrc.json'],
  [/\b(it|test|describe)\.(only|todo|fails)\b/, 'run every test, and finish each'],
  [/\/(work|root|home)\/[a-z]/, 'name no path of one machine'],
];

describe('every source file', () => {
  it(`has at most ${linesMax} lines: beyond it the idea wants cutting in two`, () => {
    const long = sourceFiles()
      .map((path) => ({ path, lines: textOf(path).split('\n').length - 1 }))
      .filter(({ lines }) => lines > linesMax);
    expect(long).toEqual([]);
  });

  it('is named after its concept, in kebab-case', () => {
    const bad = sourceFiles().filter((path) => {
      const name = basename(path);
      return bannedFileWords.test(name) || !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.ts$/.test(name);
    });
    expect(bad, 'utils, helpers, common and manager name no concept').toEqual([]);
  });

  it('holds none of the banned words', () => {
    const found = sourceFiles()
      .filter((path) => !path.startsWith('test/house/'))
      .flatMap((path) =>
        textOf(path)
          .split('\n')
          .flatMap((line, index) =>
            bannedText
              .filter(([pattern]) => pattern.test(line))
              .map(([, instead]) => `${path}:${index + 1}: ${line.trim()} → ${instead}`),
          ),
      );
    expect(found).toEqual([]);
  });

  it('of the product opens with a comment that says why it exists', () => {
    const silent = sourceFiles()
      .filter((path) => /^(proto|broker|controller|client)\//.test(path))
      .filter(
        (path) =>
          !/^(#!.*\n)?(import [^\n]*\n|import \{[^}]*\} from [^\n]*\n|\n)*\/\*\*/.test(
            textOf(path),
          ),
      );
    expect(silent, 'begin with /** why → invariants */').toEqual([]);
  });

  it('in a core folder awaits nothing and asks no clock', () => {
    const impure = sourceFiles()
      .filter((path) => /^(broker|controller|client)\/(.+\/)?core\//.test(path))
      .filter((path) =>
        /\b(await|async)\b[^*]*$|\bDate\.now|new Date\(|Math\.random|\bPromise</m.test(
          withoutComments(textOf(path)),
        ),
      );
    expect(impure, 'a core is pure: return an effect, take the value from the input').toEqual([]);
  });
});

describe('every folder', () => {
  it('with more than three files says in a README what it is', () => {
    const counts = new Map<string, number>();
    const files = projectFiles();
    for (const path of sourceFiles())
      counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    const missing = [...counts]
      .filter(
        ([folder, count]) =>
          count > 3 && folder.split('/')[0] !== 'test' && !files.includes(`${folder}/README.md`),
      )
      .map(([folder]) => folder);
    expect(missing, 'a few lines in README.md: what it is, what each file is for').toEqual([]);
  });
});

describe('documents', () => {
  it('link only to files that exist', () => {
    const files = new Set(projectFiles());
    const folders = new Set(
      [...files].flatMap((path) =>
        path.split('/').map((_, i, parts) => parts.slice(0, i).join('/')),
      ),
    );
    const broken = [...files]
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) =>
        [...textOf(path).matchAll(/\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)/g)]
          .map(([, target]) => normal(dirname(path), target ?? ''))
          .filter((target) => !files.has(target) && !folders.has(target))
          .map((target) => `${path} → ${target}`),
      );
    expect(broken).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}

function normal(folder: string, target: string): string {
  const parts = folder === '.' ? [] : folder.split('/');
  for (const part of target.replace(/\/$/, '').split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
