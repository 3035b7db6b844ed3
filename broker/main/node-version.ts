/** Which versions of Node run this; the same as `engines` in package.json, which npm only warns about. */
const least = [20, 19] as const;

/** Why this version of Node is too old, or undefined. */
export function refusalOf(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > least[0] || (major === least[0] && minor >= least[1])) return undefined;
  return `Node ${least.join('.')} or later is needed, this is ${version}`;
}
