// @ts-check
// Fields for hours of the week (a window) and for dates.
import { Problem } from './api.js';
import { field, h } from './dom.js';
import { say } from './words.js';

export const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
export const dayName = (/** @type {string} */ d) => say(`c.day_${d}`);

// hours is a set of controls for {days, from, until}: {element, value(path)},
// where path is what stands before them in the thing's errors.
/** @param {import('./types').Window} window */
export function hours(window) {
  const open = window.days || [];
  const boxes = days.map((d) => h('input', { type: 'checkbox', name: `day-${d}`, checked: !open.length || open.includes(d) }));
  const from = h('input', { type: 'time', name: 'from', value: window.from || '' });
  const until = h('input', { type: 'time', name: 'until', value: window.until === '24:00' ? '' : window.until || '' });
  const element = h('fieldset', { cls: 'hours' }, h('legend', {}, say('c.hours')),
    h('div', { cls: 'field', data: { path: 'days' } }, h('div', { cls: 'days-choice' }, boxes.map((b, i) => h('label', { cls: 'check' }, b, dayName(days[i])))), h('p', { cls: 'problem', hidden: true })),
    h('div', { cls: 'form-grid' }, field(say('c.from'), from, { path: 'from', hint: say('c.from_hint') }), field(say('c.until'), until, { path: 'until', hint: say('c.until_hint') })));
  return {
    element,
    value(path = '') {
      /** @type {NodeListOf<HTMLElement>} */
      const fields = element.querySelectorAll('.field');
      fields.forEach((f, i) => { f.dataset.path = path + ['days', 'from', 'until'][i]; });
      const chosen = days.filter((d, i) => boxes[i].checked);
      if (!chosen.length) throw new Problem(422, { field: `${path}days`, title: say('c.no_day') }); // none would mean every day
      /** @type {import('./types').Window} */
      const out = {};
      if (chosen.length < 7) out.days = chosen;
      if (from.value) out.from = from.value;
      if (until.value && until.value !== '00:00') out.until = until.value;
      if (until.value === '00:00') out.until = '24:00';
      return out;
    },
  };
}

// dates is a list of dates that grows: {element, value()}.
/** @param {string} label @param {string[]} [list] */
export function dates(label, list) {
  const box = h('div', { cls: 'days-choice' });
  const add = (/** @type {string} */ value) => {
    const input = h('input', { type: 'date', value, 'aria-label': label });
    const row = h('span', { cls: 'check' }, input, h('button', { type: 'button', cls: 'quiet icon', 'aria-label': say('c.remove'), onclick: () => row.remove() }, '✕'));
    box.append(row);
    return input;
  };
  for (const d of list || []) add(d);
  const element = h('fieldset', {}, h('legend', {}, label), box, h('button', { type: 'button', cls: 'quiet', onclick: () => add('').focus() }, say('c.add_date')));
  return { element, value: () => [...box.querySelectorAll('input')].map((i) => i.value).filter(Boolean) };
}

// spread is on which stretches of a day (minutes, 0 to 1440) a window is open
// on the date iso, yesterday's past midnight too. opens says whether it opens
// on a date at all.
/**
 * @param {import('./types').Window} window
 * @param {(iso: string) => boolean} opens
 * @param {string} today @param {string} yesterday
 * @returns {[from: number, until: number][]}
 */
export function spread(window, opens, today, yesterday) {
  const minutes = (/** @type {string} */ t) => Number(t.slice(0, 2)) * 60 + Number(t.slice(3));
  const from = window.from ? minutes(window.from) : 0;
  let until = window.until ? minutes(window.until) : 1440;
  if (until <= from) until += 1440;
  /** @type {[number, number][]} */
  const out = [];
  if (opens(today)) out.push([from, Math.min(until, 1440)]);
  if (until > 1440 && opens(yesterday)) out.push([0, until - 1440]);
  return out;
}

// lanes puts stretches that overlap beside each other; where none does, one has
// the whole width.
/** @param {{from: number, until: number, lane?: number, of?: number}[]} blocks minutes; lane and of are set */
export function lanes(blocks) {
  let heap = blocks.slice(0, 0); // blocks that overlap, each with some other
  /** @type {number[]} */
  let ends = [];
  const close = () => { for (const b of heap) b.of = ends.length; };
  blocks.sort((a, b) => a.from - b.from || b.until - a.until);
  for (const b of blocks) {
    if (ends.length && Math.max(...ends) <= b.from) {
      close();
      heap = [];
      ends = [];
    }
    let n = ends.findIndex((end) => end <= b.from);
    if (n < 0) n = ends.length;
    ends[n] = b.until;
    b.lane = n;
    heap.push(b);
  }
  close();
}
