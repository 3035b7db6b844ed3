/**
 * Header names repeat from record to record, and making a string costs more than comparing bytes.
 * This keeps the few names seen last and gives the same string again where the bytes agree.
 */
const namesMax = 16;
/** Longer names are made each time: comparing them byte by byte would not pay. */
const nameBytesMax = 48;

export class HeaderNames {
  /** Only names of pure ASCII: their char codes are their bytes. */
  private readonly names: string[] = [];
  private nextSlot = 0;
  /** Where the next name is likely: records tend to have the same names in the same order. */
  private guess = 0;

  /** The UTF-8 name in `length` bytes from `at`. */
  read(bytes: Buffer, at: number, length: number): string {
    const likely = this.names[this.guess];
    if (likely !== undefined && isName(likely, bytes, at, length)) {
      this.guess = this.guess + 1 === this.names.length ? 0 : this.guess + 1;
      return likely;
    }
    return this.search(bytes, at, length);
  }

  private search(bytes: Buffer, at: number, length: number): string {
    if (length > nameBytesMax) return bytes.toString('utf8', at, at + length);
    const index = this.names.findIndex((name) => isName(name, bytes, at, length));
    const known = this.names[index];
    if (known === undefined) return this.remember(bytes.toString('utf8', at, at + length), length);
    this.guess = index + 1 === this.names.length ? 0 : index + 1;
    return known;
  }

  private remember(name: string, byteLength: number): string {
    if (name.length === byteLength) {
      this.names[this.nextSlot] = name;
      this.nextSlot = (this.nextSlot + 1) % namesMax;
    }
    return name;
  }
}

function isName(name: string, bytes: Buffer, at: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let index = 0; index < length; index++) {
    if (name.charCodeAt(index) !== bytes[at + index]) return false;
  }
  return true;
}
