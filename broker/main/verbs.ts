/** Every verb of the command line, in the order of the help. */
import type { LazyVerb } from '../../client/cli/command-line.ts';

export const verbs: readonly LazyVerb[] = [
  {
    name: 'dev',
    summary: 'Run a whole cluster on this machine.',
    load: async () => (await import('./dev-verb.ts')).devVerb,
  },
  {
    name: 'server',
    summary: 'Run one node of a cluster.',
    load: async () => (await import('./server-verb.ts')).serverVerb,
  },
];
