// Find the elements of a page that a script uses.

/**
 * Return the element with an id; throw if it is missing or of another kind.
 * @template {Element} [T=HTMLElement]
 * @param {string} id
 * @param {{ new (): T, prototype: T }} [kind]
 * @returns {T}
 */
export function byId(id, kind) {
  return checked(document.getElementById(id), `#${id}`, kind);
}

/**
 * Return the first element that a selector finds below a root; throw if it is missing or of another kind.
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {{ new (): T, prototype: T }} [kind]
 * @returns {T}
 */
export function find(root, selector, kind) {
  return checked(root.querySelector(selector), selector, kind);
}

/**
 * Return all elements that a selector finds below a root.
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement[]}
 */
export function findAll(root, selector) {
  return [...root.querySelectorAll(selector)].filter((element) => element instanceof HTMLElement);
}

/**
 * Return the target element of an event.
 * @param {Event} event
 * @returns {Element}
 */
export function targetOf(event) {
  if (!(event.target instanceof Element)) throw new TypeError("the event has no element");
  return event.target;
}

/**
 * Parse the JSON that a template has written into a script element.
 * @param {string} id
 * @returns {any}
 */
export function readJson(id) {
  return JSON.parse(byId(id).textContent ?? "null");
}

/**
 * Create an element with properties and children.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Partial<HTMLElementTagNameMap[K]>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function create(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * Create an SVG element with attributes.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, string | number>} attributes
 * @returns {SVGElementTagNameMap[K]}
 */
export function createSvg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/**
 * @template {Element} T
 * @param {Element | null} element
 * @param {string} name
 * @param {{ new (): T, prototype: T }} [kind]
 * @returns {T}
 */
function checked(element, name, kind) {
  const wanted = kind ?? HTMLElement;
  if (!(element instanceof wanted)) throw new Error(`${name} is missing on this page`);
  return /** @type {T} */ (element);
}
