/** The command line of a test tool: `--help` prints how it is used; what is wrong is told in one sentence. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Reads the options; ends the process after the help and after an option that there is none of. */
export function toolOptions<Config extends ParseArgsConfig>(
  usage: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  const asked = process.argv.slice(2);
  if (asked.includes('--help') || asked.includes('-h')) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (caught) {
    const why = caught instanceof Error ? caught.message : String(caught);
    process.stderr.write(`${why}\n\n${usage}\n`);
    process.exit(2);
  }
}
