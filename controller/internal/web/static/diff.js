// @ts-check
// What is different between two versions of a thing, field by field.
import { h } from './dom.js';
import { say } from './words.js';

/** @param {unknown} value @param {string} path @param {Map<string, string>} out */
function flatten(value, path, out) {
  if (value === null || value === undefined || value === '') return out;
  if (typeof value !== 'object') out.set(path, String(value));
  else for (const [k, v] of Object.entries(value)) flatten(v, path ? (Array.isArray(value) ? `${path}[${Number(k) + 1}]` : `${path}.${k}`) : k, out);
  return out;
}

// diff lists the paths that differ: {path, before, after}.
/** @typedef {{path: string, before: string, after: string}} Change */

/** @param {unknown} before @param {unknown} after @returns {Change[]} */
export function diff(before, after) {
  const a = flatten(before, '', new Map());
  const b = flatten(after, '', new Map());
  return [...new Set([...a.keys(), ...b.keys()])].filter((k) => a.get(k) !== b.get(k)).map((path) => ({ path, before: a.get(path) || '', after: b.get(path) || '' }));
}

/** @param {Change[]} changes @param {string} left @param {string} right */
export function diffTable(changes, left, right) {
  if (!changes.length) return h('p', { cls: 'hint' }, say('c.no_difference'));
  return h('div', { cls: 'wide' }, h('table', { cls: 'stack' }, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, say('c.field')), h('th', { scope: 'col' }, left), h('th', { scope: 'col' }, right))),
    h('tbody', {}, changes.map((c) => h('tr', {}, h('td', { data: { label: say('c.field') } }, h('span', { cls: 'code' }, c.path)),
      h('td', { data: { label: left } }, c.before ? h('del', {}, c.before) : '–'), h('td', { data: { label: right } }, c.after ? h('ins', {}, c.after) : '–'))))));
}
