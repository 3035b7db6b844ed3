/**
 * Views of a few bytes of a batch, as Buffers. `subarray` spends three times as long on its arguments
 * as on the view; the class behind Buffer, which its species names, makes the same object at once.
 */
type ViewClass = new (memory: ArrayBufferLike, byteOffset: number, length: number) => Buffer;

const ViewOfBuffer = findViewClass();

/** A Buffer over `length` bytes of `memory`, sharing them. */
export function viewOf(memory: ArrayBufferLike, byteOffset: number, length: number): Buffer {
  return new ViewOfBuffer(memory, byteOffset, length);
}

/** Buffer's species where it makes Buffers, otherwise a class that goes the documented way. */
function findViewClass(): ViewClass {
  const species = (Buffer as unknown as { [Symbol.species]?: unknown })[Symbol.species];
  if (typeof species === 'function') {
    const made: unknown = Reflect.construct(species, [new ArrayBuffer(4), 1, 2]);
    if (Buffer.isBuffer(made) && made.length === 2) return species as ViewClass;
  }
  return viewByDocumentedWay as unknown as ViewClass;
}

/** Called with `new`; the object that it returns takes the place of the new one. */
function viewByDocumentedWay(memory: ArrayBufferLike, at: number, length: number): Buffer {
  return Buffer.from(memory, at, length);
}
