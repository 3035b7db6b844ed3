/** The command as it is typed: processes, pipes, exit codes, JSON for programs. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../broker/main/cluster.ts';

const command = fileURLToPath(new URL('../../dist/broker/main/cli.js', import.meta.url));
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3 });
});

afterAll(() => cluster.close());

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Typed {
  readonly child: ReturnType<typeof spawn>;
  readonly ended: Promise<Ended>;
}

function start(words: readonly string[], brokers = cluster.brokers.join(',')): Typed {
  const env = { ...process.env, HIGHWATER_BROKERS: brokers, NODE_OPTIONS: '' };
  const child = spawn(process.execPath, [command, ...words], { env });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => resolve({ code, out, err }));
  });
  return { child, ended };
}

/** Types a line, with something on standard input. */
function typed(line: string, input = ''): Promise<Ended> {
  const { child, ended } = start(line.split(' '));
  child.stdin?.end(input);
  return ended;
}

/** The JSON values that a line prints; it has to succeed. */
async function json(line: string, input = ''): Promise<Record<string, unknown>[]> {
  const { code, out, err } = await typed(`${line} --json`, input);
  expect(code, `${line}: ${err}`).toBe(0);
  return out
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Record<string, unknown>);
}

describe('topics and records', () => {
  it('a topic is made, listed, described, altered and deleted', async () => {
    expect(await json('topic create short --partitions 2')).toMatchObject([{ topic: 'short' }]);
    expect(await json('topic list')).toContainEqual(
      expect.objectContaining({ topic: 'short', partitions: 2, replicas: 3 }),
    );
    await json('topic alter short --config retention.ms=60000 --partitions 3');
    const rows = await json('topic describe short');
    expect(rows.filter((row) => 'leader' in row)).toHaveLength(3);
    expect(rows).toContainEqual(
      expect.objectContaining({ setting: 'retention.ms', value: '60000' }),
    );
    await json('topic delete short');
    expect(await json('topic list')).toEqual([]);
  });

  it('records pass through pipes with their keys and headers, and from one topic to another', async () => {
    await json('topic create pipes --partitions 3');
    await json('topic create copies --partitions 1');
    const lines = [
      { key: 'a', value: 'one', headers: { from: 'shop' } },
      { key: 'b', value: { nested: [1, 2] } },
      { key64: '/w==', value64: '/wAB' },
      {
        value: 'twice',
        headers: [
          ['to', 'a'],
          ['to', { base64: '/w==' }],
        ],
      },
    ];
    const input = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const written = await json('produce pipes --format ndjson', input);
    expect(written).toEqual([{ topic: 'pipes', written: 4, degraded: 0 }]);
    const consumed = await typed('consume pipes --json');
    await json('produce copies --format ndjson --partition 0', consumed.out);
    const copies = await json('consume copies --format json');
    expect(copies).toHaveLength(4);
    expect(copies).toContainEqual(
      expect.objectContaining({ key: 'a', value: 'one', headers: { from: 'shop' } }),
    );
    expect(copies).toContainEqual(expect.objectContaining({ key64: '/w==', value64: '/wAB' }));
    expect(copies).toContainEqual(expect.objectContaining({ headers: lines[3]?.headers }));
  });

  it('lines are cut at a separator, and printed with their key', async () => {
    await json('topic create pairs --partitions 1');
    await json('produce pairs --key-separator = --headers source=file', 'k=v=w\nplain\n');
    const { out } = await typed('consume pairs --format key-value');
    expect(out).toBe('k\tv=w\n\tplain\n');
    expect(await json('consume pairs --max 1')).toMatchObject([{ headers: { source: 'file' } }]);
  });

  it('a writer that goes on for longer than a second says how far it is', async () => {
    const { child, ended } = start(['produce', 'pairs']);
    child.stdin?.write('first\n');
    const ticking = setInterval(() => child.stdin?.write('more\n'), 100);
    await new Promise<void>((told) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        if (/\d+ records written\n/.test(chunk.toString())) told();
      });
    });
    clearInterval(ticking);
    child.stdin?.end();
    expect((await ended).code).toBe(0);
  });
});

describe('input that is wrong', () => {
  it('says which line and how many records are written before it, and skips blank lines', async () => {
    await json('topic create mended --partitions 1');
    const lines = '{"value":"a"}\n\n{"value":"b"}\n{"v":"c"}\n';
    const { code, err } = await typed('produce mended --format ndjson', lines);
    expect(code).toBe(2);
    expect(err).toMatch(/^2 records were written before this:\n.*line 4: "v" is no field/);
    expect(await json('consume mended')).toHaveLength(2);
  });
});

describe('an election that an operator asks for', () => {
  it('refuses a node without a replica, and tells in a dry run that nothing would be lost', async () => {
    await json('topic create led --assign 1,2');
    const none = await typed('cluster elect led/0 --leader 3');
    expect(none.code).toBe(2);
    expect(none.err).toContain('they are on 1, 2');
    expect(await json('cluster elect led/0 --leader 2 --dry-run')).toEqual([
      { topic: 'led', partition: 0, leader: 1, wanted: 2, isInSync: true },
    ]);
    expect((await typed('cluster elect led/0')).out).toBe('node 1 leads led/0 already\n');
  });
});

describe('groups and the cluster', () => {
  it('a group that has no members is moved, described and deleted', async () => {
    await json('topic create grouped --partitions 2');
    await json('produce grouped', 'a\nb\nc\nd\n');
    await json('group reset billing grouped --to earliest');
    expect(await json('group list')).toMatchObject([{ group: 'billing', state: 'empty' }]);
    const rows = await json('group describe billing');
    const lag = rows.filter((row) => row['topic'] === 'grouped');
    expect(lag.reduce((sum, row) => sum + Number(row['lag']), 0)).toBe(4);
    for (const row of lag) expect(Number(row['lagBytes']) > 0).toBe(Number(row['lag']) > 0);
    await json('group delete billing');
    expect(await json('group list')).toEqual([]);
  });

  it('the cluster tells of itself', async () => {
    const rows = await json('cluster describe');
    expect(JSON.stringify(rows)).toContain('127.0.0.1');
    expect((await json('cluster events')).length).toBeGreaterThan(0);
    expect((await json('cluster features')).length).toBeGreaterThan(0);
    expect((await json('cluster voters')).length).toBeGreaterThanOrEqual(1);
  });
});

describe('exit codes', () => {
  it.each([
    ['--version', 0],
    ['topic list', 0],
    ['topic describe nothing', 1],
    ['topic create', 2],
    ['topic create x --partition 3', 2],
    ['nothing', 2],
  ])('%s ends with %i', async (line, code) => {
    expect((await typed(line)).code).toBe(code);
  });

  it('3 where no broker answers, 130 after an interrupt', async () => {
    const nobody = start(['topic', 'list', '--timeout', '200'], '127.0.0.1:1');
    expect(await nobody.ended).toMatchObject({ code: 3, out: '' });
    await json('topic create endless --partitions 1');
    await json('produce endless', 'x\n');
    const { child, ended } = start(['consume', 'endless', '--follow']);
    await new Promise((read) => child.stdout?.once('data', read));
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
  });

  it('0 where the reader of a pipe leaves a verb that would go on for ever, or the help', async () => {
    for (const words of [['cluster', 'events', '--follow'], ['--help']]) {
      const { child, ended } = start(words);
      child.stdout?.once('data', () => child.stdout?.destroy());
      // Something has to happen for it to notice.
      const happening = setInterval(() => void typed(`topic create t${Date.now()}`), 300);
      expect(await ended).toMatchObject({ code: 0, err: '' });
      clearInterval(happening);
    }
  });

  it('0 where the reader of a pipe has what it wanted', async () => {
    await json('produce endless', 'filler filler filler\n'.repeat(200_000));
    const { child, ended } = start(['consume', 'endless']);
    child.stdout?.once('data', () => child.stdout?.destroy());
    expect((await ended).code).toBe(0);
  });
});
