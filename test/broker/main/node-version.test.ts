import { expect, it } from 'vitest';
import { refusalOf } from '../../../broker/main/node-version.ts';
import { textOf } from '../../house/sources.ts';

it('a Node that is too old is told so, at the version that the package states', () => {
  const { engines } = JSON.parse(textOf('package.json')) as { engines: { node: string } };
  const [, major, minor] = /^>=(\d+)\.(\d+)\.0$/.exec(engines.node)?.map(Number) ?? [];
  expect(refusalOf(`${major}.${Number(minor) - 1}.5`)).toMatch(/or later is needed, this is/);
  expect(refusalOf(`${Number(major) - 2}.99.0`)).toMatch(/this is 18\.99\.0/);
  for (const fine of [`${major}.${minor}.0`, '22.0.0', '24.21.0', process.versions.node])
    expect(refusalOf(fine)).toBeUndefined();
});
