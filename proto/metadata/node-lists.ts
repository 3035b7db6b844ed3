/**
 * Lists of nodes that many partitions have alike. With 100,000 partitions they would be most of the
 * memory, and a change of many would leave as many lists behind: equal ones are one object as far as a
 * small table remembers them. Only identity is shared; what a list says never depends on the table.
 */
import type { NodeId } from '../model/ids.ts';

/** A power of two; a list that falls on the place of another one takes it. */
const places = 4096;
const table: (readonly NodeId[] | undefined)[] = Array.from({ length: places });
const none: readonly NodeId[] = Object.freeze([]);

/** The list, or one that is equal and was seen before. */
export function sharedList(nodes: readonly NodeId[]): readonly NodeId[] {
  if (nodes.length === 0) return none;
  let hash = 0x811c9dc5;
  for (let i = 0; i < nodes.length; i++) hash = Math.imul(hash ^ (nodes[i] as NodeId), 0x01000193);
  const place = (hash ^ (hash >>> 15)) & (places - 1);
  const known = table[place];
  if (known !== undefined && isEqual(known, nodes)) return known;
  table[place] = nodes;
  return nodes;
}

function isEqual(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
