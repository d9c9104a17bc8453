// @ts-check
// A sign's day as a ribbon and as a table: which rule shows when, which ones do
// not and why, and what campaigns get.
import { get } from './api.js';
import { h, showProblem } from './dom.js';
import { ruleText } from './signview.js';
import { say, both, clock, dateOf, isoDate, addDays, number, zoneName } from './words.js';

const colours = new Map();

// ruleClass gives each rule a colour of its own, the same all over the page.
export function ruleClass(rule) {
  if (rule === 'off' || rule === 'none') return `rule-${rule}`;
  if (!colours.has(rule)) colours.set(rule, colours.size % 6 + 1);
  return `rule-${colours.get(rule)}`;
}

export const perHour = (c) => Math.round(c.seconds / c.loop_seconds * 3600);

export const campaignText = (c) => say('day.campaign', { letter: c.letter.number, date: c.letter.date.split('-').reverse().join('/'), asked: number(c.asked_percent, 1), planned: number(c.planned_percent, 1), seconds: number(perHour(c)) });

// reasons are what lost, campaigns and notes of a span or a moment, as a list.
export function reasons(x) {
  const list = [...(x.lost || []).map((l) => h('li', {}, say('day.lost', { rule: ruleText(l.rule) }), ' ', both(l.because))),
    ...(x.campaigns || []).map((c) => h('li', {}, campaignText(c))), ...(x.notes || []).map((n) => h('li', {}, both(n)))];
  return list.length ? h('ul', { cls: 'plain' }, list) : null;
}

// joined are the day's spans, neighbours of the same rule and reasons as one.
export function joined(spans) {
  const out = [];
  const key = (s) => JSON.stringify([s.rule, s.lost, s.campaigns, s.notes]);
  for (const s of spans) {
    const last = out[out.length - 1];
    if (last && key(last) === key(s)) last.until = s.until;
    else out.push({ ...s });
  }
  return out;
}

export class Day {
  // pick is told a moment (ms) of the ribbon or of a row that somebody asks about.
  constructor(root, sign, zone, moment, pick) {
    this.pick = pick;
    this.root = root;
    this.sign = sign;
    this.zone = zone;
    this.date = isoDate(moment(), zone);
    this.moment = moment;
    this.input = h('input', { type: 'date', value: this.date, 'aria-label': say('day.date'), onchange: () => this.show(this.input.value || this.date) });
    const step = (n) => h('button', { type: 'button', cls: 'quiet', 'aria-label': say(n < 0 ? 'day.before' : 'day.after'), onclick: () => this.show(addDays(this.date, n)) }, n < 0 ? '‹' : '›');
    this.body = h('div');
    root.append(h('div', { cls: 'buttons' }, step(-1), h('span', {}, this.input), step(1), h('button', { type: 'button', cls: 'quiet', onclick: () => this.show(isoDate(moment(), zone)) }, say('day.today'))), this.body);
  }

  async show(date = this.date) {
    const mine = this.asked = (this.asked || 0) + 1; // an answer that comes late makes nothing old again
    this.date = date;
    this.input.value = date;
    try {
      const day = await get(`/api/v1/signs/${this.sign}/day?date=${date}`);
      if (this.asked === mine) this.draw(day);
    } catch (p) {
      showProblem(this.root, p);
    }
  }

  draw(day) {
    const spans = joined(day.spans);
    const from = day.from ?? spans[0].from;
    const until = day.until ?? spans[spans.length - 1].until;
    const percent = (t) => `${(t - from) / (until - from) * 100}%`;
    const width = (s) => `${(s.until - s.from) / (until - from) * 100}%`;
    const time = (t) => (t === until ? '24:00' : clock(t * 1000, this.zone));
    const range = (s) => `${time(s.from)}–${time(s.until)}`;
    const ribbon = h('div', { cls: 'ribbon', 'aria-hidden': 'true' }, spans.map((s) => h('div', { cls: `span ${ruleClass(s.rule)}`, title: `${range(s)} ${ruleText(s.rule)}`, css: { left: percent(s.from), width: width(s) } }, ruleText(s.rule))));
    ribbon.addEventListener('click', (e) => {
      const r = ribbon.getBoundingClientRect();
      this.pick((from + Math.min(Math.max((e.clientX - r.left) / r.width, 0), 0.9999) * (until - from)) * 1000);
    });
    const now = this.moment() / 1000;
    if (now >= from && now < until) ribbon.append(h('div', { cls: 'now-line', css: { left: percent(now) } }));
    const ticks = [0, 6, 12, 18, 24].map((hour) => h('span', { css: { left: `${hour / 24 * 100}%` } }, `${String(hour).padStart(2, '0')}:00`));
    const row = (s) => h('tr', {}, h('td', { data: { label: say('day.time') } }, range(s), s.rule === 'none' ? null : [' ', h('button', { type: 'button', cls: 'quiet small', 'aria-label': say('day.look', { time: range(s) }), onclick: () => this.pick(now > s.from && now < s.until ? now * 1000 : s.from * 1000) }, say('day.look_short'))]), h('td', { data: { label: say('day.rule') } }, h('strong', {}, ruleText(s.rule))), h('td', { data: { label: say('day.why') } }, reasons(s) || say('day.no_rival')));
    this.body.replaceChildren(h('p', { cls: 'hint' }, `${say('day.zone', { date: dateOf((from + 43200) * 1000, this.zone), zone: zoneName(this.zone, from * 1000) })}. ${say('day.how')}`),
      h('div', { cls: 'ribbon-frame' }, ribbon, h('div', { cls: 'ticks', 'aria-hidden': 'true' }, ticks)),
      h('div', { cls: 'wide' }, h('table', { cls: 'stack' }, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, say('day.time')), h('th', { scope: 'col' }, say('day.rule')), h('th', { scope: 'col' }, say('day.why')))), h('tbody', {}, spans.map(row)))));
  }
}
