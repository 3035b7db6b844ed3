/**
 * Settings of a node. The same names work in highwater.json, as HIGHWATER_* variables and as flags of
 * `highwater server`; an unknown or impossible one is refused at start.
 */
import { refusalOf, refusalText, type SettingRow, unknownSetting } from './setting.ts';

const address = /^(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9._-]+):\d{1,5}$/;
const maybeAddress = /^$|^(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9._-]+):\d{1,5}$/;
const quorum = /^(\d+@[^,@\s]+:\d{1,5})(,\d+@[^,@\s]+:\d{1,5})*$/;

function listen(name: string, port: number, what: string): SettingRow {
  const form = {
    kind: 'text',
    pattern: address,
    expected: 'host:port, port 0 for a free one',
  } as const;
  return { name, form, default: `127.0.0.1:${port}`, meaning: `Where ${what} is listened for.` };
}
function advertised(name: string, what: string): SettingRow {
  const form = { kind: 'text', pattern: maybeAddress, expected: 'host:port, or nothing' } as const;
  return {
    name,
    form,
    default: '',
    meaning: `Address that ${what} are told; the bound one if empty.`,
  };
}
function path(name: string, meaning: string): SettingRow {
  return {
    name,
    form: { kind: 'text', pattern: /^.*$/s, expected: 'a path' },
    default: '',
    meaning,
  };
}
function milliseconds(
  name: string,
  from: [min: number, max: number],
  value: number,
  meaning: string,
): SettingRow {
  return {
    name,
    form: { kind: 'integer', min: from[0], max: from[1], unit: 'ms' },
    default: String(value),
    meaning,
  };
}
function bytes(
  name: string,
  from: [min: number, max: number],
  value: number,
  meaning: string,
): SettingRow {
  return {
    name,
    form: { kind: 'integer', min: from[0], max: from[1], unit: 'bytes' },
    default: String(value),
    meaning,
  };
}
function choice(
  name: string,
  values: readonly string[],
  value: string,
  meaning: string,
): SettingRow {
  return { name, form: { kind: 'choice', values }, default: value, meaning };
}
function flag(name: string, meaning: string): SettingRow {
  return { name, form: { kind: 'boolean' }, default: 'false', meaning };
}

const MiB = 1024 * 1024;

export const nodeSettings: readonly SettingRow[] = [
  {
    name: 'data',
    form: { kind: 'text', pattern: /^.+$/s, expected: 'a path' },
    default: './data',
    meaning: 'Directory of this node: its log, its metadata and its identity.',
  },
  {
    name: 'node-id',
    form: { kind: 'integer', min: 1, max: 2_147_483_647 },
    default: '1',
    meaning: 'Identity of the node in its cluster; never changes for a directory.',
  },
  choice(
    'roles',
    ['broker', 'controller', 'broker,controller', 'controller,broker'],
    'broker,controller',
    'What this process does.',
  ),
  {
    name: 'quorum',
    form: {
      kind: 'text',
      pattern: quorum,
      expected: 'id@host:port,… of the peer addresses of all voters',
    },
    default: '1@127.0.0.1:9093',
    meaning: 'The voters at the very first start, and where to find controllers later.',
  },
  listen('listen', 9092, 'clients (gRPC)'),
  listen('peer-listen', 9093, 'other nodes (peer link)'),
  listen('http-listen', 9094, 'health, metrics and the dashboard (HTTP)'),
  advertised('advertised-listen', 'clients'),
  advertised('advertised-peer-listen', 'other nodes'),
  {
    name: 'rack',
    form: {
      kind: 'text',
      pattern: /^[a-zA-Z0-9._-]{0,64}$/,
      expected: 'up to 64 letters, digits, dots and dashes',
    },
    default: '',
    meaning: 'Failure domain: replicas of a partition are spread over racks.',
  },
  milliseconds('session-ms', [100, 600_000], 2000, 'A broker unheard for this long is fenced.'),
  milliseconds('heartbeat-ms', [10, 60_000], 250, 'How often a broker reports to the controllers.'),
  milliseconds(
    'election-ms',
    [50, 60_000],
    1000,
    'A controller unheard for this long is replaced.',
  ),
  milliseconds(
    'shutdown-ms',
    [0, 600_000],
    15_000,
    'Time for an orderly stop: leaderships move first.',
  ),
  milliseconds(
    'disk-stall-ms',
    [1000, 600_000],
    10_000,
    'A flush pending for this long fences the node; twice as long ends it.',
  ),
  bytes(
    'memory-bytes',
    [64 * MiB, 1024 * 1024 * MiB],
    256 * MiB,
    'Ceiling of buffers: caches and queues share it.',
  ),
  bytes(
    'disk-reserve-bytes',
    [0, 1024 * 1024 * MiB],
    64 * MiB,
    'Writes are refused while less than this is free.',
  ),
  milliseconds(
    'retention-check-ms',
    [100, 86_400_000],
    300_000,
    'How often the logs are looked at for retention.',
  ),
  milliseconds(
    'offsets-retention-ms',
    [-1, 3_650 * 86_400_000],
    7 * 86_400_000,
    'How long the committed offsets of a group without members are kept; -1: for ever.',
  ),
  milliseconds(
    'cleaner-check-ms',
    [100, 86_400_000],
    15_000,
    'How often the logs are looked at for compaction.',
  ),
  bytes(
    'cleaner-bytes-per-second',
    [64 * 1024, 1024 * 1024 * MiB],
    16 * MiB,
    'Rate of compaction, over all logs.',
  ),
  bytes(
    'cleaner-memory-bytes',
    [64 * 1024, 1024 * MiB],
    8 * MiB,
    'Memory for the keys of one pass of compaction: 24 bytes for each; more keys take more passes.',
  ),
  bytes(
    'reassignment-bytes-per-second',
    [0, 1024 * 1024 * MiB],
    64 * MiB,
    'Rate at which this node gives replicas that a reassignment adds what they lack from before; 0: no limit.',
  ),
  bytes(
    'scrub-bytes-per-second',
    [0, 1024 * 1024 * MiB],
    2 * MiB,
    'Rate at which sealed segments are read again in search of damage; 0: never.',
  ),
  choice(
    'log-level',
    ['debug', 'info', 'warn', 'error', 'silent'],
    'info',
    'Least severe level that is logged.',
  ),
  path(
    'tls-cert',
    'Certificate chain (PEM) of this node; with tls-key, clients and nodes speak TLS.',
  ),
  path('tls-key', 'Private key (PEM) of this node.'),
  path('tls-ca', 'Authority (PEM) of the nodes, and of the clients; without it links are plain.'),
  choice(
    'tls-client-auth',
    ['required', 'none'],
    'required',
    'Whether clients have to show a certificate that tls-ca signed; nodes always have to.',
  ),
  path('tokens-file', 'Bearer tokens: one "token principal role,role" a line.'),
  choice(
    'dashboard',
    ['auto', 'on', 'off'],
    'auto',
    'The dashboard on the HTTP address; auto: on loopback, and beyond it where tokens-file asks who reads.',
  ),
  flag('insecure-listen', 'Allow listening beyond loopback without TLS or without authorisation.'),
];

/** All node settings with a value each, as texts that were accepted. */
export type NodeSettings = ReadonlyMap<string, string>;

/** The defaults overlaid with what was given, or the sentences that say what is wrong. */
export function readNodeSettings(
  given: ReadonlyMap<string, string>,
): { readonly settings: NodeSettings } | { readonly refusals: readonly string[] } {
  const known = nodeSettings.map((row) => row.name);
  const refusals: string[] = [];
  const settings = new Map<string, string>();
  for (const row of nodeSettings) settings.set(row.name, row.default ?? '');
  for (const [name, value] of given) {
    const row = nodeSettings.find((candidate) => candidate.name === name);
    const refusal = row === undefined ? unknownSetting(name, value, known) : refusalOf(row, value);
    if (refusal === undefined) settings.set(name, value);
    else refusals.push(refusalText(refusal));
  }
  return refusals.length > 0 ? { refusals } : { settings };
}
