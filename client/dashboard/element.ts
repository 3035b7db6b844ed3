/** Elements made by hand: a tag, what it has, what is in it. Texts are always texts, never markup. */

export type Child = Node | string | undefined | false;

export interface Attributes {
  readonly class?: string;
  readonly on?: Readonly<Record<string, (event: Event) => void>>;
  readonly [name: string]:
    | string
    | number
    | boolean
    | undefined
    | Readonly<Record<string, (event: Event) => void>>;
}

/** Makes one; `true` is an attribute without a value, `false` and undefined none. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'object')
      for (const [kind, listener] of Object.entries(value))
        element.addEventListener(kind, listener);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** Changes a text only where it differs, so that nothing is laid out again for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** The same for an attribute; undefined takes it away. */
export function setAttribute(element: Element, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Puts these in the place of what is there. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child) => child !== undefined && child !== false));
}

/** Brings the list of children of `parent` in line with `keys`: kept by key, made where missing. */
export function keyed<Key>(
  parent: Element,
  known: Map<Key, HTMLElement>,
  keys: readonly Key[],
  create: (key: Key) => HTMLElement,
): void {
  const wanted = new Set(keys);
  for (const [key, element] of known) {
    if (wanted.has(key)) continue;
    element.remove();
    known.delete(key);
  }
  let at = parent.firstElementChild;
  for (const key of keys) {
    let element = known.get(key);
    if (element === undefined) {
      element = create(key);
      known.set(key, element);
    }
    if (element === at) at = at.nextElementSibling;
    else parent.insertBefore(element, at);
  }
}
