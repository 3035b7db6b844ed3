/**
 * An immutable map whose changes cost the depth of a tree, not its size: an image of 100,000
 * partitions shares everything with its successor but the path to what changed.
 *
 * It is a tree over a 32-bit hash, five bits a level from the top, with small sorted buckets as leaves.
 *
 * Invariants: (1) iteration is in the order of (hash, key) whatever the history, so that nothing
 * derived from it depends on the order of changes (rule B4.13); number keys iterate in their order;
 * (2) a node is changed in place only by the owner that made it, so a map that was handed out without
 * its owner never changes.
 */
type Key = string | number;

/** Whoever holds it may change the nodes it made: one per fold of a change. */
export interface Owner {
  readonly purpose: string;
}

interface Bucket<K, V> {
  readonly owner: Owner | undefined;
  /** Sorted by (hash, key). */
  readonly hashes: number[];
  readonly keys: K[];
  readonly values: V[];
}

interface Branch<K, V> {
  readonly owner: Owner | undefined;
  readonly children: (Node<K, V> | undefined)[];
}

type Node<K, V> = Bucket<K, V> | Branch<K, V>;

const bucketMax = 16;
const fanout = 32;
const levelBits = 5;
/** The lowest level has two bits left; below it buckets grow. */
const shiftTop = 27;

export class PersistentMap<K extends Key, V> {
  readonly size: number;
  readonly #root: Node<K, V> | undefined;

  private constructor(root: Node<K, V> | undefined, size: number) {
    this.#root = root;
    this.size = size;
  }

  /** A map with nothing in it. */
  static empty<K extends Key, V>(): PersistentMap<K, V> {
    return new PersistentMap<K, V>(undefined, 0);
  }

  get(key: K): V | undefined {
    const hash = hashOf(key);
    let node = this.#root;
    let shift = shiftTop;
    while (node !== undefined && 'children' in node) {
      node = node.children[slotOf(hash, shift)];
      shift -= levelBits;
    }
    if (node === undefined) return undefined;
    const at = find(node, hash, key);
    return at < 0 ? undefined : node.values[at];
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  /** The map with this value. Nodes that `owner` made are changed in place, so keep no older map of it. */
  set(key: K, value: V, owner?: Owner): PersistentMap<K, V> {
    const target = { hash: hashOf(key), key, value, owner, grown: 0 };
    const root = insert(this.#root, target, shiftTop);
    return root === this.#root && target.grown === 0
      ? this
      : new PersistentMap(root, this.size + target.grown);
  }

  /** The map without this key. */
  delete(key: K, owner?: Owner): PersistentMap<K, V> {
    if (this.get(key) === undefined) return this;
    return new PersistentMap(
      remove(this.#root, { hash: hashOf(key), key, owner }, shiftTop),
      this.size - 1,
    );
  }

  /** All pairs, as a list of their own. */
  entries(): [K, V][] {
    const all: [K, V][] = [];
    each(this.#root, (key, value) => all.push([key, value]));
    return all;
  }

  keys(): K[] {
    const all: K[] = [];
    each(this.#root, (key) => all.push(key));
    return all;
  }

  values(): V[] {
    const all: V[] = [];
    each(this.#root, (_, value) => all.push(value));
    return all;
  }

  /** Visits every pair in order, without a list. */
  forEach(visit: (value: V, key: K) => void): void {
    each(this.#root, (key, value) => visit(value, key));
  }

  /**
   * Every key whose value is not the same object in both, with what it was before. Parts that both
   * maps share are not looked at, so the cost is that of the difference.
   */
  changesSince(older: PersistentMap<K, V>): MapChange<K, V>[] {
    const changes: MapChange<K, V>[] = [];
    compare(older.#root, this.#root, changes);
    return changes;
  }
}

/** One key of a difference between two maps. */
export interface MapChange<K, V> {
  readonly key: K;
  readonly before: V | undefined;
  readonly after: V | undefined;
}

interface Insertion<K, V> {
  readonly hash: number;
  readonly key: K;
  readonly value: V;
  readonly owner: Owner | undefined;
  /** 1 if the key was not there. */
  grown: number;
}

/** Numbers keep their order; texts are spread (FNV-1a). */
function hashOf(key: Key): number {
  if (typeof key === 'number') return key >>> 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  }
  // The top bits choose the first levels: mix the low ones into them.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function slotOf(hash: number, shift: number): number {
  return shift >= 0 ? (hash >>> shift) & (fanout - 1) : hash & 3;
}

/** The place of the key, or the complement of where it would go. */
function find<K extends Key, V>(bucket: Bucket<K, V>, hash: number, key: K): number {
  let from = 0;
  let to = bucket.keys.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const other = bucket.hashes[middle] as number;
    const otherKey = bucket.keys[middle] as K;
    if (other === hash && otherKey === key) return middle;
    if (other < hash || (other === hash && otherKey < key)) from = middle + 1;
    else to = middle;
  }
  return ~from;
}

function insert<K extends Key, V>(
  node: Node<K, V> | undefined,
  target: Insertion<K, V>,
  shift: number,
): Node<K, V> {
  const { hash, key, value, owner } = target;
  if (node === undefined) {
    target.grown = 1;
    return { owner, hashes: [hash], keys: [key], values: [value] };
  }
  if ('children' in node) {
    const slot = slotOf(hash, shift);
    const before = node.children[slot];
    const after = insert(before, target, shift - levelBits);
    if (after === before) return node;
    const own = owned(node, owner);
    own.children[slot] = after;
    return own;
  }
  const at = find(node, hash, key);
  if (at >= 0) {
    if (node.values[at] === value) return node;
    const own = ownedBucket(node, owner);
    own.values[at] = value;
    return own;
  }
  target.grown = 1;
  if (node.keys.length >= bucketMax && shift > -levelBits) {
    return insert(split(node, shift, owner), target, shift);
  }
  const own = ownedBucket(node, owner);
  own.hashes.splice(~at, 0, hash);
  own.keys.splice(~at, 0, key);
  own.values.splice(~at, 0, value);
  return own;
}

function remove<K extends Key, V>(
  node: Node<K, V> | undefined,
  target: Pick<Insertion<K, V>, 'hash' | 'key' | 'owner'>,
  shift: number,
): Node<K, V> | undefined {
  if (node === undefined) return undefined;
  if ('children' in node) {
    const own = owned(node, target.owner);
    const slot = slotOf(target.hash, shift);
    own.children[slot] = remove(own.children[slot], target, shift - levelBits);
    return own.children.every((child) => child === undefined) ? undefined : own;
  }
  if (node.keys.length === 1) return undefined;
  const at = find(node, target.hash, target.key);
  const own = ownedBucket(node, target.owner);
  own.hashes.splice(at, 1);
  own.keys.splice(at, 1);
  own.values.splice(at, 1);
  return own;
}

function split<K extends Key, V>(
  bucket: Bucket<K, V>,
  shift: number,
  owner: Owner | undefined,
): Branch<K, V> {
  const children: (Bucket<K, V> | undefined)[] = Array.from({ length: fanout }, () => undefined);
  bucket.keys.forEach((key, i) => {
    const hash = bucket.hashes[i] as number;
    const slot = slotOf(hash, shift);
    const child = children[slot] ?? { owner, hashes: [], keys: [], values: [] };
    children[slot] = child;
    child.hashes.push(hash);
    child.keys.push(key);
    child.values.push(bucket.values[i] as V);
  });
  return { owner, children };
}

function owned<K, V>(branch: Branch<K, V>, owner: Owner | undefined): Branch<K, V> {
  if (owner !== undefined && branch.owner === owner) return branch;
  return { owner, children: branch.children.slice() };
}

function ownedBucket<K, V>(bucket: Bucket<K, V>, owner: Owner | undefined): Bucket<K, V> {
  if (owner !== undefined && bucket.owner === owner) return bucket;
  const { hashes, keys, values } = bucket;
  return { owner, hashes: hashes.slice(), keys: keys.slice(), values: values.slice() };
}

/** Plain recursion: generators cost more than the visit itself. */
function each<K, V>(node: Node<K, V> | undefined, visit: (key: K, value: V) => void): void {
  if (node === undefined) return;
  if ('children' in node) {
    for (const child of node.children) if (child !== undefined) each(child, visit);
    return;
  }
  for (let i = 0; i < node.keys.length; i++) visit(node.keys[i] as K, node.values[i] as V);
}

function compare<K extends Key, V>(
  before: Node<K, V> | undefined,
  after: Node<K, V> | undefined,
  changes: MapChange<K, V>[],
): void {
  if (before === after) return;
  if (before !== undefined && after !== undefined && 'children' in before && 'children' in after) {
    for (let slot = 0; slot < fanout; slot++) {
      compare(before.children[slot], after.children[slot], changes);
    }
    return;
  }
  // Different shapes: at most one of the two is large, and then it was split or emptied just now.
  const old = new Map<K, V>();
  each(before, (key, value) => old.set(key, value));
  each(after, (key, value) => {
    const was = old.get(key);
    old.delete(key);
    if (was !== value) changes.push({ key, before: was, after: value });
  });
  for (const [key, value] of old) changes.push({ key, before: value, after: undefined });
}
