// The items between two items of a list, for a selection with Shift.

/**
 * Return the items between two items, including both, in any order; an empty list if one is not in the list.
 * @template T
 * @param {T[]} items
 * @param {T} one
 * @param {T} other
 * @returns {T[]}
 */
export function spanOf(items, one, other) {
  const [first, last] = [items.indexOf(one), items.indexOf(other)].sort((a, b) => a - b);
  return first < 0 ? [] : items.slice(first, last + 1);
}
