// @ts-check
// What a sign itself proved to have shown on a day, message by message.
import { get } from './api.js';
import { h, showProblem } from './dom.js';
import { addDays, clock, instant, isoDate, lasting, number, say, zoneName } from './words.js';

const heads = ['item', 'owner', 'why', 'plays', 'time'];

export class Proof {
  constructor(root, sign, now) {
    this.root = root;
    this.sign = sign;
    this.now = now;
    this.zone = sign.time_zone;
    this.input = h('input', { type: 'date', required: true, 'aria-label': say('sign.proof_day'), onchange: () => this.show(this.input.value || this.date) });
    const step = (n) => h('button', { type: 'button', cls: 'quiet', 'aria-label': say(n < 0 ? 'day.before' : 'day.after'), onclick: () => this.show(addDays(this.date, n)) }, n < 0 ? '‹' : '›');
    this.body = h('div', { role: 'status' });
    root.append(h('div', { cls: 'buttons' }, step(-1), h('span', {}, this.input), step(1), h('button', { type: 'button', cls: 'quiet', onclick: () => this.show(isoDate(now(), this.zone)) }, say('day.today'))), this.body);
  }

  async show(date = isoDate(this.now(), this.zone)) {
    this.date = date;
    this.input.value = date;
    const begin = instant(date, '00:00', this.zone);
    const end = Math.min(instant(addDays(date, 1), '00:00', this.zone), this.now());
    if (end <= begin) {
      this.body.replaceChildren(h('p', { cls: 'hint' }, say('sign.proof_future')));
      return;
    }
    try {
      const data = await get(`/api/v1/reports/delivery?${new URLSearchParams({ sign: this.sign.id, from: new Date(begin).toISOString(), to: new Date(end).toISOString() })}`);
      if (this.date === date) this.draw(data);
    } catch (p) {
      if (p.status === 403) this.body.replaceChildren(h('p', { cls: 'hint' }, say('sign.proof_role')));
      else showProblem(this.root, p);
    }
  }

  draw(data) {
    const whole = data.coverage.reduce((t, c) => t + c.ms + c.missing_ms, 0);
    const proven = data.coverage.reduce((t, c) => t + c.ms, 0);
    const gaps = data.coverage.flatMap((c) => c.missing || []).filter((g) => g.until_ms - g.from_ms >= 60000);
    const query = { sign: this.sign.id, from: this.date, to: this.date };
    const rows = [...data.rows].sort((a, b) => b.ms - a.ms);
    const owner = (r) => (r.owner === 'public' ? say('c.department') : r.owner === this.sign.owner ? this.sign.owner_name || r.owner : r.owner || '–');
    const words = heads.map((k) => say(k === 'time' ? 'sign.proof_time' : `reports.${k}`));
    const cell = (i, content, n) => h('td', { cls: n ? 'n' : null, data: { label: words[i] } }, content);
    const plays = rows.reduce((t, r) => t + r.count, 0);
    this.body.replaceChildren(h('p', { cls: 'hint' }, say('sign.proof_zone', { zone: zoneName(this.zone, data.from * 1000) }), ' ', say(this.sign.mode === 'picture' ? 'sign.proof_picture' : 'sign.proof_late')),
      whole ? h('p', {}, h('strong', {}, say('sign.proof_covered', { n: number(Math.floor(1000 * proven / whole) / 10, 1) })), gaps.length ? ` – ${say('sign.proof_gaps', { list: gaps.slice(0, 6).map((g) => `${clock(g.from_ms, this.zone)}–${clock(g.until_ms, this.zone)}`).join(', ') + (gaps.length > 6 ? '…' : '') })}` : '') : '',
      rows.length ? h('div', { cls: 'wide' }, h('table', { cls: 'stack', id: 'proven' }, h('thead', {}, h('tr', {}, words.map((w, i) => h('th', { scope: 'col', cls: i > 2 ? 'n' : null }, w)))),
        h('tbody', {}, rows.map((r) => h('tr', {}, cell(0, h('strong', {}, r.title || r.item || (r.owner ? say('reports.not_told') : '–'))), cell(1, owner(r)), cell(2, say(`reports.why_${r.why}`)), cell(3, number(r.count), true), cell(4, lasting(r.ms / 1000), true)))),
        h('tfoot', {}, h('tr', {}, h('td', { colspan: 3 }, say('sign.proof_sum')), cell(3, number(plays), true), cell(4, lasting(rows.reduce((t, r) => t + r.ms, 0) / 1000), true))))) : h('p', { cls: 'hint' }, say('reports.nothing')),
      h('div', { cls: 'buttons' }, h('a', { cls: 'button', href: `/reports?${new URLSearchParams({ kind: 'delivery', ...query })}` }, say('sign.proof_report')),
        h('a', { cls: 'button', href: `/api/v1/reports/delivery?${new URLSearchParams({ ...query, format: 'csv' })}`, download: `ledcast-${this.sign.id}-${this.date}.csv` }, say('reports.csv'))));
  }
}
