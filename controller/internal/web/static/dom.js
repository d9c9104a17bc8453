// @ts-check
// Making elements, asking back, and saying what is the matter beside the field
// that it is about.
import { say } from './words.js';

// h makes an element. Properties that begin with "on" are listeners, "data" and
// "css" are maps; a property that is null or false is left out.
/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any> | null} [properties]
 * @param {...any} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, properties, ...children) {
  const e = document.createElement(tag);
  /** @type {Record<string, any>} */
  const controls = e; // value, checked and selected are not of every element
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) e.addEventListener(key.slice(2), value);
    else if (key === 'data') Object.assign(e.dataset, value);
    else if (key === 'css') for (const [k, v] of Object.entries(value)) e.style.setProperty(k, v);
    else if (key === 'value' || key === 'checked' || key === 'selected') controls[key] = value;
    else e.setAttribute(key === 'cls' ? 'class' : key, value === true ? '' : value);
  }
  e.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

const svgSpace = 'http://www.w3.org/2000/svg';
/**
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any> | null} [attributes]
 * @param {...(Node | string | null | undefined)} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, attributes, ...children) {
  const e = document.createElementNS(svgSpace, tag);
  for (const [key, value] of Object.entries(attributes || {})) e.setAttribute(key, String(value));
  for (const c of children) if (c !== null && c !== undefined) e.append(c);
  return e;
}

// at is an element of the page's template. Its kind is what the template says.
/** @type {(id: string) => any} */
export const at = (id) => document.getElementById(id);

// announce is heard by those who do not see.
/** @param {string} text */
export function announce(text) {
  const live = at('live');
  live.textContent = '';
  requestAnimationFrame(() => { live.textContent = text; });
}

let serial = 0;
export const uid = () => `u${++serial}`;

// field is a labelled control with room for a hint and a problem below it.
// Problems whose field ends in path are shown there.
/**
 * @param {string} label
 * @param {HTMLElement & {name?: string}} control
 * @param {{hint?: string | null, path?: string}} [about]
 */
export function field(label, control, { hint, path } = {}) {
  const id = control.id || uid();
  control.id = id;
  const notes = h('div', { cls: 'field-notes' }, hint ? h('p', { cls: 'hint', id: `${id}-hint` }, hint) : null, h('p', { cls: 'problem', id: `${id}-problem`, hidden: true }));
  control.setAttribute('aria-describedby', hint ? `${id}-hint ${id}-problem` : `${id}-problem`);
  return h('div', { cls: 'field', data: { path: path || control.name || '' } }, h('label', { for: id }, label), control, notes);
}

/** @param {HTMLSelectElement} select @param {string[][]} list each [value, text] @param {string} [chosen] */
export function options(select, list, chosen) {
  select.replaceChildren(...list.map(([value, text]) => h('option', { value, selected: value === chosen }, text)));
  select.value = chosen === undefined ? (list[0] || [''])[0] : chosen;
  return select;
}

// problemText is a problem in words, with what to do; beside tells that it
// stands beside the field, whose name need not be said then.
/** @param {any} p a Problem, or another Error @param {boolean} [beside] */
export function problemText(p, beside = false) {
  if (p.status === 0) return say('c.no_answer');
  if (p.status === 401) return say('c.session_over');
  if (p.status === undefined) return p.message;
  const head = p.status === 404 ? say('c.not_found') : p.status === 403 ? say('c.not_allowed') : p.status === 429 ? say('c.too_often') : p.title;
  const value = p.value && p.status === 422 ? `“${p.value}”` : '';
  const where = p.label && !beside && head === p.title ? `${p.label}${value && ` ${value}`}: ` : value && `${value} `;
  const said = where ? `${where}${head}` : head.charAt(0).toUpperCase() + head.slice(1);
  return `${said}${p.remedy && ![404].includes(p.status) ? ` – ${p.remedy}` : ''}`;
}

/** @param {HTMLElement} root */
export function clearProblems(root) {
  /** @type {NodeListOf<HTMLElement>} */
  const shown = root.querySelectorAll('.problem');
  for (const p of shown) {
    p.hidden = true;
    p.textContent = '';
  }
  for (const c of root.querySelectorAll('[aria-invalid]')) c.removeAttribute('aria-invalid');
}

// showProblem shows a problem beside the field it names, or in root's own
// place for problems (.problems).
/** @param {HTMLElement} root @param {any} problem */
export function showProblem(root, problem) {
  if (problem.status === undefined) console.error(problem); // not the API's: a mistake of ours
  const name = (problem.field || '').replace(/^[a-z]+\/[^.]*\.?/, '');
  /** @type {NodeListOf<HTMLElement>} */
  const fields = root.querySelectorAll('.field');
  const place = name && [...fields].find((f) => f.dataset.path && (name === f.dataset.path || name.startsWith(`${f.dataset.path}[`) || name.startsWith(`${f.dataset.path}.`)));
  const text = problemText(problem, Boolean(place));
  if (place) {
    /** @type {any} */
    const p = place.querySelector('.problem');
    p.textContent = text;
    p.hidden = false;
    for (let d = p.closest('details'); d; d = d.parentElement.closest('details')) d.open = true; // a problem is seen, and its field can be reached
    /** @type {HTMLElement | null} */
    const control = place.querySelector('input, select, textarea');
    if (control) {
      control.setAttribute('aria-invalid', 'true');
      control.focus();
    }
    announce(text);
    return;
  }
  const box = root.querySelector('.problems') || at('main').querySelector('.problems') || at('main').appendChild(problems());
  box.textContent = text;
  box.hidden = false;
  box.scrollIntoView({ block: 'nearest' });
}

// problems is a place for problems that belong to no field.
export const problems = () => h('p', { cls: 'problem problems', role: 'alert', hidden: true });

// busy disables a button while work runs, and shows its problem in root.
/**
 * @template T
 * @param {HTMLElement} button @param {HTMLElement} root @param {() => T | Promise<T>} work
 * @returns {Promise<T | undefined>}
 */
export async function busy(button, root, work) {
  if (button.getAttribute('aria-disabled') === 'true') return undefined;
  clearProblems(root);
  button.setAttribute('aria-disabled', 'true');
  try {
    return await work();
  } catch (problem) {
    showProblem(root, problem);
    return undefined;
  } finally {
    button.removeAttribute('aria-disabled');
  }
}

// dialog shows what build makes, and answers what it closes with; null when it
// is left.
/**
 * @param {string} title
 * @param {(close: (value?: any) => void) => any} build
 * @param {string} [cls]
 * @returns {Promise<any>}
 */
export function dialog(title, build, cls) {
  return new Promise((resolve) => {
    /** @type {any} */
    let result = null;
    const id = uid();
    const box = h('dialog', { 'aria-labelledby': id, cls: cls || null });
    const close = (/** @type {any} */ value) => { result = value; box.close(); };
    box.append(h('h2', { id }, title), ...[build(close)].flat());
    box.addEventListener('close', () => { box.remove(); resolve(result); });
    document.body.append(box);
    box.showModal();
  });
}

// ask asks back before something that cannot be undone.
/** @param {string} title @param {string} text @param {string} action @param {boolean} [danger] */
export function ask(title, text, action, danger = true) {
  return dialog(title, (close) => [h('p', {}, text), h('div', { cls: 'buttons' },
    h('button', { type: 'button', cls: danger ? 'danger' : 'main', onclick: () => close(true) }, action),
    h('button', { type: 'button', cls: 'quiet', onclick: () => close(null) }, say('c.cancel')))]);
}

// chips is a short list of marks: [text, shape, kind].
/** @type {(text: string, shape: string, kind: string, title?: string) => HTMLElement} */
export const badge = (text, shape, kind, title) => h('span', { cls: `badge ${kind}`, title: title || null }, h('span', { 'aria-hidden': 'true', cls: 'shape' }, shape), text);

/** @param {number} ms @param {(...args: any[]) => void} f */
export function debounced(ms, f) {
  let timer = 0;
  return (/** @type {any[]} */ ...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => f(...args), ms);
  };
}
