/**
 * Reads proto/schema and returns the text of proto/generated. `npm run proto` writes it; a test
 * compares it with what is committed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { emitFile } from './emit-file.ts';
import { moduleOf } from './naming.ts';

/** Module path below proto/generated → text, for every schema file below `schemaDirectory`. */
export function generate(schemaDirectory: string): ReadonlyMap<string, string> {
  const files = readdirSync(schemaDirectory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.proto'))
    .map((name) => name.replaceAll('\\', '/'))
    .toSorted();
  const root = new protobuf.Root();
  const owners = new Map<string, string>();
  for (const file of files) {
    const source = readFileSync(join(schemaDirectory, file), 'utf8');
    protobuf.parse(source, root, { keepCase: true, alternateCommentMode: true });
    for (const name of namesIn(root)) if (!owners.has(name)) owners.set(name, file);
  }
  root.resolveAll();
  const fileOf = (name: string): string => owners.get(name) ?? 'unknown';
  return new Map(files.map((file) => [moduleOf(file), emitFile(root, file, fileOf)]));
}

/** Full names of all messages, enums and services read so far. */
function namesIn(space: protobuf.NamespaceBase): string[] {
  return space.nestedArray.flatMap((object) => {
    const isNamed =
      !(object instanceof protobuf.Namespace) ||
      object instanceof protobuf.Type ||
      object instanceof protobuf.Service;
    const inner = object instanceof protobuf.Namespace ? namesIn(object) : [];
    return isNamed ? [object.fullName, ...inner] : inner;
  });
}
