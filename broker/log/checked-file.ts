/**
 * Small files that are replaced as a whole: JSON with a version and a checksum, written beside the
 * old one, flushed, renamed over it, and the directory flushed (rule B5.6). After a crash there is
 * the old file or the new one, never half of one.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { type FileSystem, writeAll } from '../../proto/ports/file-system.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';
import { everyRule, type LogRules } from './core/rules.ts';

/** Larger than any such file; a longer one is foreign. */
const fileBytesMax = 64 * 1024;

/** What such a file says: one JSON object. */
export type CheckedContent = Readonly<Record<string, unknown>>;

/** Replaces the file; durable once it resolves. */
export async function writeCheckedFile(
  fs: FileSystem,
  place: { readonly directory: string; readonly name: string },
  content: CheckedContent,
  rules: LogRules = everyRule,
): Promise<void> {
  const path = `${place.directory}/${place.name}`;
  const written = rules.replacesWhole ? `${path}.tmp` : path;
  const bytes = Buffer.from(textOf(content));
  const file = await fs.open(written, 'create');
  try {
    await file.truncate(0);
    await writeAll(file, [bytes], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  if (rules.replacesWhole) await fs.rename(written, path);
  await fs.syncDirectory(place.directory);
}

/** The content; undefined if there is no such file. A file that is not whole is refused. */
export async function readCheckedFile(
  fs: FileSystem,
  path: string,
): Promise<CheckedContent | undefined> {
  const stat = await fs.stat(path);
  if (stat === undefined) return undefined;
  if (stat.bytes > fileBytesMax) throw notWhole(path);
  const file = await fs.open(path, 'read');
  try {
    const bytes = Buffer.alloc(stat.bytes);
    const count = await file.read(bytes, 0);
    const content = parseCheckedFile(bytes.toString('utf8', 0, count));
    if (content === undefined) throw notWhole(path);
    return content;
  } finally {
    await file.close();
  }
}

/** The whole text of a file. */
export function textOf(content: CheckedContent): string {
  const body = JSON.stringify(content, undefined, 2);
  return `${body}\n${checksumOf(body)}\n`;
}

/** The content of a file; undefined if the text is not whole, or is none of these files. */
export function parseCheckedFile(text: string): CheckedContent | undefined {
  const cut = text.lastIndexOf('\n', text.length - 2);
  const body = text.slice(0, cut);
  if (cut <= 0 || text.slice(cut + 1) !== `${checksumOf(body)}\n`) return undefined;
  return parseObject(body);
}

function parseObject(body: string): CheckedContent | undefined {
  try {
    const content: unknown = JSON.parse(body);
    const isObject = typeof content === 'object' && content !== null && !Array.isArray(content);
    return isObject ? (content as CheckedContent) : undefined;
  } catch {
    return undefined; // The checksum holds, yet it is no JSON: somebody else's file.
  }
}

function checksumOf(body: string): string {
  return `crc32c ${crc32c(Buffer.from(body)).toString(16).padStart(8, '0')}`;
}

function notWhole(path: string): HighwaterError {
  return new HighwaterError('DAMAGED_LOG', `${path} is damaged: its checksum does not match.`, {
    facts: { path },
  });
}
