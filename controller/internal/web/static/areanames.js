// @ts-check
// Areas as people read them: in order, each below the one that it lies in, and
// what there is to say of one that is gone or was never there.
import { lang, say } from './words.js';

/** @typedef {import('./types').Area} Area */

/** @type {(a: string, b: string) => boolean} */
export const covers = (a, b) => b === a || b.startsWith(`${a}/`);

export const depth = (/** @type {string} */ code) => code.split('/').length - 1;

// inOrder sorts areas by name, each behind the one above it.
/** @param {Area[]} areas */
export function inOrder(areas) {
  const names = new Map(areas.map((a) => [a.code, a.name]));
  const collator = new Intl.Collator(lang, { numeric: true });
  const way = (/** @type {string} */ code) => code.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/'));
  return [...areas].sort((a, b) => {
    const [x, y] = [way(a.code), way(b.code)];
    for (let i = 0; i < Math.min(x.length, y.length); i++) {
      if (x[i] !== y[i]) return collator.compare(names.get(x[i]) || x[i], names.get(y[i]) || y[i]) || (x[i] < y[i] ? -1 : 1);
    }
    return x.length - y.length;
  });
}

// areaText names an area by its code, and says so when it was replaced or is
// not known.
/** @param {Area[]} areas @param {string} code */
export function areaText(areas, code) {
  const a = areas.find((x) => x.code === code);
  if (!a) return say('c.area_unknown', { code });
  if (!a.replaced_by) return a.name;
  return say('c.area_replaced', { name: a.name, by: (areas.find((x) => x.code === a.replaced_by) || { name: a.replaced_by }).name });
}
