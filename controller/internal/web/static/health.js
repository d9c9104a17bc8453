// @ts-check
// How a sign was over the last days: a line a day, and what happened when. A
// time in which the controller did not listen is unknown, not offline.
import { get } from './api.js';
import { debounced, h, options, showProblem } from './dom.js';
import { faultTexts } from './signview.js';
import { addDays, clock, clockSeconds, dateOf, isoDate, lasting, number, plainDate, say, weekday, zoneName } from './words.js';

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const most = 40; // rows of what happened
const written = 7000; // ms after which the controller has written down what changed

// kind is how a span is drawn, text what it says.
const kind = (s) => (s.state !== 'online' ? s.state : s.faults ? 'faulty' : s.clock === 'untrusted' ? 'clock' : 'online');

function text(s) {
  if (s.state !== 'online') return say(`sign.was_${s.state}`);
  const more = [s.faults ? `${say('face.is_faulty')}: ${faultTexts(s)}` : '', s.clock === 'untrusted' ? say('face.is_clock') : ''].filter(Boolean);
  return more.length ? more.join('; ') : say('face.is_online');
}

export class HealthHistory {
  constructor(root, sign, zone, now) {
    this.path = `/api/v1/signs/${sign}/health`;
    this.zone = zone;
    this.now = now;
    this.root = root;
    this.key = '';
    this.length = options(h('select', { onchange: () => this.show() }), [7, 30, 90].map((n) => [String(n), say('sign.history_days', { n })]), '7');
    this.body = h('div');
    root.append(h('label', { cls: 'check' }, say('sign.history_of'), ' ', h('span', {}, this.length)), this.body);
    this.soon = debounced(written, () => this.show());
  }

  // changed asks anew when the sign is not as it was.
  changed(sign) {
    const key = JSON.stringify([sign.state === 'unknown', sign.state === 'offline' || sign.state === 'never', sign.faults || [], sign.clock]);
    if (this.key && this.key !== key) this.soon();
    this.key = key;
  }

  async show() {
    const mine = this.asked = (this.asked || 0) + 1; // an answer that comes late makes nothing old again
    const from = addDays(isoDate(this.now(), this.zone), 1 - Number(this.length.value));
    try {
      const x = await get(`${this.path}?from=${from}`);
      if (this.asked === mine) this.draw(x);
    } catch (p) {
      showProblem(this.root, p);
    }
  }

  line(day, spans) {
    const percent = (ms) => `${(ms - day.from_ms) / (day.until_ms - day.from_ms) * 100}%`;
    const within = spans.filter((s) => s.from_ms < day.until_ms && s.until_ms > day.from_ms);
    const known = day.online_ms + day.offline_ms;
    const parts = [known ? say('sign.history_online', { n: number(Math.floor(1000 * day.online_ms / known) / 10, 1) }) : say('sign.was_unknown')];
    if (day.offline_ms) parts.push([day.outages ? say('sign.history_outages', { n: day.outages }) : say('face.is_offline').toLowerCase(), say('sign.history_offline', { time: lasting(day.offline_ms / 1000) })].join(', '));
    if (day.faulty_ms) parts.push(say('sign.history_faulty', { time: lasting(day.faulty_ms / 1000) }));
    if (day.clock_ms) parts.push(say('sign.history_clock', { time: lasting(day.clock_ms / 1000) }));
    return h('li', {}, h('strong', {}, `${say(`c.day_${days[weekday(day.day)]}`)} ${plainDate(day.day)}`),
      h('div', { cls: 'past', 'aria-hidden': 'true' }, within.map((s) => {
        const a = Math.max(s.from_ms, day.from_ms);
        const b = Math.min(s.until_ms, day.until_ms);
        return h('div', { cls: `was ${kind(s)}`, title: `${clock(a, this.zone)}–${clock(b, this.zone)} ${text(s)}`, css: { left: percent(a), width: `${(b - a) / (day.until_ms - day.from_ms) * 100}%` } });
      })), h('span', { cls: 'hint' }, parts.join(' · ')));
  }

  draw(x) {
    const when = (ms) => `${dateOf(ms, this.zone)} ${clockSeconds(ms, this.zone)}`;
    const events = x.spans.filter((s, i) => i > 0 || s.state !== 'unknown').reverse();
    const words = ['sign.history_when', 'sign.history_what', 'sign.history_long'].map((k) => say(k));
    const row = (s) => h('tr', {}, h('td', { data: { label: words[0] } }, when(s.from_ms)), h('td', { data: { label: words[1] } }, h('span', { cls: `was ${kind(s)}`, 'aria-hidden': 'true' }), ' ', text(s)),
      h('td', { data: { label: words[2] } }, s.until_ms === x.until_ms ? say('sign.history_still', { time: lasting((s.until_ms - s.from_ms) / 1000) }) : lasting((s.until_ms - s.from_ms) / 1000)));
    this.body.replaceChildren(h('p', { cls: 'hint' }, say('sign.history_zone', { zone: zoneName(this.zone, x.until_ms) })),
      h('ul', { cls: 'plain history' }, [...x.days].reverse().map((d) => this.line(d, x.spans))),
      h('ul', { cls: 'badges legend', 'aria-hidden': 'true' }, ['online', 'offline', 'faulty', 'clock', 'unknown'].map((k) => h('li', {}, h('span', { cls: `was ${k}` }), k === 'faulty' || k === 'clock' || k === 'online' ? say(`face.is_${k}`) : say(`sign.was_${k}`)))),
      h('h3', {}, say('sign.history_events')),
      events.length ? h('div', { cls: 'wide' }, h('table', { cls: 'stack' }, h('thead', {}, h('tr', {}, words.map((w) => h('th', { scope: 'col' }, w)))), h('tbody', {}, events.slice(0, most).map(row)))) : h('p', {}, say('face.heard_never')),
      ...(events.length > most ? [h('p', { cls: 'hint' }, say('sign.history_more', { n: number(events.length - most) }))] : []));
  }
}
