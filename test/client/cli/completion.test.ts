import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { verbs } from '../../../broker/main/verbs.ts';
import { completionScript } from '../../../client/cli/completion.ts';

const loaded = await Promise.all(verbs.map((verb) => verb.load()));

/** What bash offers after these words; the last one is being typed. */
function offered(...words: string[]): string[] {
  const program = `${completionScript('bash', loaded)}
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _highwater; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync('bash', ['-c', program, 'bash', 'highwater', ...words]);
  return out.toString().trimEnd().split('\n');
}

it('bash completes verbs, their second words and their options', () => {
  expect(offered('to')).toEqual(['topic']);
  expect(offered('topic', 'de')).toEqual(['describe', 'delete']);
  expect(offered('topic', 'create', 'orders', '--part')).toEqual(['--partitions']);
  expect(offered('produce', '--key')).toEqual(['--key', '--key-separator']);
  expect(offered('cluster', 'describe', '--js')).toEqual(['--json']);
});

it('zsh and fish know every verb and every option', () => {
  const zsh = completionScript('zsh', loaded);
  const fish = completionScript('fish', loaded);
  for (const verb of loaded) {
    expect(zsh).toContain(`("${verb.name}" | "${verb.name} "*) choices=(`);
    for (const word of verb.name.split(' ')) expect(fish).toContain(` -a ${word} `);
    for (const { name } of verb.options) {
      expect(zsh).toContain(`'--${name}:`);
      expect(fish).toContain(` -l ${name} `);
    }
  }
});
