import { parseArgs } from 'node:util';

export interface BenchArguments {
  readonly name: string | undefined;
  readonly isQuick: boolean;
  readonly isJson: boolean;
  readonly isHelp: boolean;
  /** Parent of the data directories; on a real disk. */
  readonly dataPath: string;
}

const dataPathDefault = 'bench/results/data';

/** Reads the command line; throws a sentence on anything unknown. */
export function parseBenchArguments(argv: readonly string[]): BenchArguments {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false, short: 'h' },
      data: { type: 'string', default: dataPathDefault },
    },
  });
  if (positionals.length > 1) throw new Error(`one bench at a time, not ${positionals.join(', ')}`);
  return {
    name: positionals[0],
    isQuick: values.quick,
    isJson: values.json,
    isHelp: values.help,
    dataPath: values.data,
  };
}
