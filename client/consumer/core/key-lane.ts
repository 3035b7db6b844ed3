/** Which lane handles a record: one lane for each key, so that records of a key stay in order. */

/** FNV-1a over the bytes of the key. */
export function laneOfKey(key: Uint8Array, lanes: number): number {
  let hash = 0x811c9dc5;
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % lanes;
}
