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
  private lastHit = 0;

  /** The UTF-8 name in `length` bytes from `at`. */
  read(bytes: Buffer, at: number, length: number): string {
    if (length > nameBytesMax) return bytes.toString('utf8', at, at + length);
    for (let tried = 0; tried < this.names.length; tried++) {
      const index = (this.lastHit + tried) % this.names.length;
      const name = this.names[index] as string;
      if (name.length === length && sameBytes(name, bytes, at)) {
        this.lastHit = index + 1; // Records tend to have the same names in the same order.
        return name;
      }
    }
    return this.remember(bytes.toString('utf8', at, at + length), length);
  }

  private remember(name: string, byteLength: number): string {
    if (name.length === byteLength) {
      this.names[this.nextSlot] = name;
      this.nextSlot = (this.nextSlot + 1) % namesMax;
    }
    return name;
  }
}

function sameBytes(name: string, bytes: Buffer, at: number): boolean {
  for (let index = 0; index < name.length; index++) {
    if (name.charCodeAt(index) !== bytes[at + index]) return false;
  }
  return true;
}
