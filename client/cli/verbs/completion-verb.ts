/** `highwater completion`: a script that lets a shell complete verbs and options. */
import type { LazyVerb } from '../command-line.ts';
import { completionScript, shells } from '../completion.ts';
import { exitCodes, UsageError, type Verb } from '../verb.ts';

/** The verb, over the table that it is itself a part of. */
export function completionVerb(verbs: readonly LazyVerb[]): Verb {
  return {
    name: 'completion',
    summary: 'Print a script that completes verbs and options in a shell.',
    positionals: ['<shell>'],
    options: [],
    examples: [
      'source <(highwater completion bash)',
      'source <(highwater completion zsh)',
      'highwater completion fish | source',
    ],
    async run({ positionals, output }) {
      const shell = shells.find((one) => one === positionals[0]);
      if (shell === undefined)
        throw new UsageError(`${positionals[0]}: expected one of ${shells.join(', ')}`);
      const loaded = await Promise.all(verbs.map((verb) => verb.load()));
      const script = completionScript(shell, loaded);
      if (output.isJson) output.value({ shell, script });
      else await output.write(script);
      return exitCodes.done;
    },
  };
}
