/** What is deployed names metrics and settings that exist. */
import { describe, expect, it } from 'vitest';
import { nodeSettings } from '../../proto/model/node-settings.ts';
import { textOf } from '../house/sources.ts';

/** The document is made from the registry, and a test of its own keeps it true. */
const metrics = new Set(metricsNamedIn('docs/metrics.md'));

function metricsNamedIn(path: string): string[] {
  return [...textOf(path).matchAll(/\bhighwater_[a-z0-9_]+/g)].map(([name]) => name);
}

function settingsNamedIn(path: string): string[] {
  return [...textOf(path).matchAll(/\bHIGHWATER_([A-Z_]+)/g)].map(([, name = '']) =>
    name.toLowerCase().replaceAll('_', '-'),
  );
}

describe('the Grafana files', () => {
  it.each(['deploy/grafana/dashboard.json', 'deploy/grafana/alerts.json'])(
    '%s is JSON and asks only for metrics that nodes serve',
    (path) => {
      expect(() => JSON.parse(textOf(path)) as unknown).not.toThrow();
      const named = metricsNamedIn(path);
      expect(named.length).toBeGreaterThan(0);
      expect(named.filter((name) => !metrics.has(name))).toEqual([]);
    },
  );
});

describe('the image, the compose file and the unit', () => {
  it.each(['deploy/Dockerfile', 'deploy/compose.yaml', 'deploy/highwater.service'])(
    '%s sets only settings that a node knows',
    (path) => {
      const known = nodeSettings.map(({ name }) => name);
      const named = settingsNamedIn(path);
      expect(named.length).toBeGreaterThan(0);
      expect(named.filter((name) => !known.includes(name))).toEqual([]);
    },
  );

  it('hold every folder that the package holds: what it serves is not only in dist', () => {
    const { files } = JSON.parse(textOf('package.json')) as { readonly files: readonly string[] };
    const folders = files
      .filter((path) => !/^[A-Z!]/.test(path))
      .map((path) => path.split('/*')[0]);
    expect(folders).toContain('client/dashboard');
    const image = textOf('deploy/Dockerfile');
    for (const folder of folders)
      expect(image).toMatch(new RegExp(`^COPY --from=build /src/${folder}[ /]`, 'm'));
  });

  it('run nobody as root', () => {
    expect(textOf('deploy/Dockerfile')).toMatch(/^USER node$/m);
    expect(textOf('deploy/highwater.service')).toMatch(/^User=highwater$/m);
  });
});
