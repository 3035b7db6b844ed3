/** Lines of a stream of bytes, cut without decoding what is not asked for. */
const newline = 0x0a;
const carriageReturn = 0x0d;

/** One array of whole lines for each chunk that brings any; a last line without an end counts too. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer[]> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const lines: Buffer[] = [];
    let from = 0;
    for (;;) {
      const at = bytes.indexOf(newline, from);
      if (at < 0) break;
      const tail = bytes.subarray(from, at);
      lines.push(withoutReturn(rest.length === 0 ? tail : Buffer.concat([...rest, tail])));
      rest = [];
      from = at + 1;
    }
    if (from < bytes.length) rest.push(bytes.subarray(from));
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [withoutReturn(Buffer.concat(rest))];
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
}
