// Fields for hours of the week (a window) and for dates.
import { Problem } from './api.js';
import { field, h } from './dom.js';
import { say } from './words.js';

export const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
export const dayName = (d) => say(`c.day_${d}`);

// hours is a set of controls for {days, from, until}: {element, value(path)},
// where path is what stands before them in the thing's errors.
export function hours(window) {
  const all = !window.days || window.days.length === 0;
  const boxes = days.map((d) => h('input', { type: 'checkbox', name: `day-${d}`, checked: all || window.days.includes(d) }));
  const from = h('input', { type: 'time', name: 'from', value: window.from || '' });
  const until = h('input', { type: 'time', name: 'until', value: window.until === '24:00' ? '' : window.until || '' });
  const element = h('fieldset', { cls: 'hours' }, h('legend', {}, say('c.hours')),
    h('div', { cls: 'field', data: { path: 'days' } }, h('div', { cls: 'days-choice' }, boxes.map((b, i) => h('label', { cls: 'check' }, b, dayName(days[i])))), h('p', { cls: 'problem', hidden: true })),
    h('div', { cls: 'form-grid' }, field(say('c.from'), from, { path: 'from', hint: say('c.from_hint') }), field(say('c.until'), until, { path: 'until', hint: say('c.until_hint') })));
  return {
    element,
    value(path = '') {
      element.querySelectorAll('.field').forEach((f, i) => { f.dataset.path = path + ['days', 'from', 'until'][i]; });
      const chosen = days.filter((d, i) => boxes[i].checked);
      if (!chosen.length) throw new Problem(422, { field: `${path}days`, title: say('c.no_day') }); // none would mean every day
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
export function dates(label, list) {
  const box = h('div', { cls: 'days-choice' });
  const add = (value) => {
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
export function spread(window, opens, today, yesterday) {
  const minutes = (t) => Number(t.slice(0, 2)) * 60 + Number(t.slice(3));
  const from = window.from ? minutes(window.from) : 0;
  let until = window.until ? minutes(window.until) : 1440;
  if (until <= from) until += 1440;
  const out = [];
  if (opens(today)) out.push([from, Math.min(until, 1440)]);
  if (until > 1440 && opens(yesterday)) out.push([0, until - 1440]);
  return out;
}
