// Reports: what was shown, by what signs prove, as a table, a plot, CSV, and a
// page to print.
import { get, items } from './api.js';
import { at, busy, field, h, options, svg } from './dom.js';
import { department } from './shell.js';
import { addDays, clock, clockSeconds, dateOf, isoDate, lasting, number, plainDate, say, zoneName } from './words.js';

const zone = 'Asia/Ho_Chi_Minh';
const kinds = ['delivery', 'share', 'displaced', 'uptime'];
const today = isoDate(Date.now(), zone);
const asked = new URLSearchParams(location.search);

const seconds = (ms) => number(ms / 1000, 1);
const percent = (part, whole) => (whole ? 100 * part / whole : 0);
let names = new Map(); // of companies that one may know
let signs = new Map(); // id → name
let campaigns = new Map(); // id → campaign
const signText = (id) => (signs.get(id) ? `${signs.get(id)} (${id})` : id);
const campaignText = (id) => campaigns.get(id)?.name || id;
const owner = (id) => (id === 'public' ? say('c.department') : names.get(id) || id || '–');
// item is what was shown; where nothing was, or nobody knows whose it was, that.
const item = (r) => r.title || r.item || (r.owner ? say('reports.not_told') : say(`reports.why_${r.why || ''}`));

// columns of each report: [word, text of a row, is a number]
const columns = {
  delivery: [['day', (r) => plainDate(r.day)], ['sign', (r) => signText(r.sign)], ['company', (r) => owner(r.sign_owner)], ['why', (r) => say(`reports.why_${r.why}`)], ['owner', (r) => owner(r.owner)], ['item', item], ['campaign', (r) => (r.campaign ? campaignText(r.campaign) : '')], ['plays', (r) => number(r.count), true], ['seconds', (r) => seconds(r.ms), true]],
  share: [['day', (r) => plainDate(r.day)], ['campaign', (r) => campaignText(r.campaign)], ['letter', (r) => `${r.letter.number} (${plainDate(r.letter.date)})`], ['sign', (r) => signText(r.sign)], ['company', (r) => owner(r.sign_owner)], ['asked', (r) => `${number(percent(r.asked_ms, r.bound_ms), 2)}\u00a0%`, true], ['planned', (r) => `${number(percent(r.planned_ms, r.bound_ms), 2)}\u00a0%`, true], ['shown', (r) => `${number(percent(r.shown_ms, r.bound_ms), 2)}\u00a0%`, true], ['plays', (r) => number(r.shown), true], ['proven', (r) => `${number(percent(r.proven_ms, r.bound_ms), 1)}\u00a0%`, true]],
  displaced: [['day', (r) => plainDate(r.day)], ['sign', (r) => signText(r.sign)], ['company', (r) => owner(r.sign_owner)], ['alerts', (r) => r.alerts], ['owner', (r) => owner(r.owner)], ['item', item], ['seconds', (r) => seconds(r.ms), true]],
  uptime: [['day', (r) => plainDate(r.day)], ['sign', (r) => signText(r.sign)], ['company', (r) => owner(r.sign_owner)], ['uptime', (r) => (r.online_ms + r.offline_ms ? `${number(percent(r.online_ms, r.online_ms + r.offline_ms), 2)}\u00a0%` : '–'), true], ['online', (r) => lasting(r.online_ms / 1000), true], ['offline', (r) => lasting(r.offline_ms / 1000), true], ['outages', (r) => number(r.outages), true], ['unknown', (r) => lasting(r.unknown_ms / 1000), true], ['untrusted', (r) => lasting(r.clock_ms / 1000), true], ['faulty', (r) => lasting(r.faulty_ms / 1000), true]],
};

// bars is a plot of [label, [[kind, value]…]] with values of the same measure.
function bars(rows, unit) {
  const most = Math.max(1, ...rows.flatMap(([, v]) => v.map(([, n]) => n)));
  const high = rows.reduce((n, [, v]) => n + 22 + 18 * v.length, 0);
  let y = 0;
  const parts = rows.flatMap(([label, values]) => {
    y += 16;
    const head = svg('text', { x: 0, y, class: 'plot-label' });
    head.textContent = label;
    const out = [head];
    for (const [kind, n] of values) {
      out.push(svg('rect', { x: 0, y: y + 5, width: Math.max(1, 420 * n / most), height: 12, class: `bar ${kind}` }));
      const text = svg('text', { x: 6 + 420 * n / most, y: y + 15, class: 'plot-value' });
      text.textContent = `${number(n, 1)} ${unit}${values.length > 1 ? ` ${say(`reports.${kind}`)}` : ''}`;
      out.push(text);
      y += 18;
    }
    y += 6;
    return out;
  });
  return svg('svg', { viewBox: `0 0 640 ${high}`, class: 'plot', role: 'img', 'aria-label': say('reports.plot') }, ...parts);
}

function plot(kind, data) {
  const sums = new Map();
  const add = (key, value) => sums.set(key, (sums.get(key) || 0) + value);
  if (kind === 'share') {
    const by = new Map();
    for (const r of data.rows) {
      const s = by.get(r.campaign) || { bound: 0, asked: 0, planned: 0, shown: 0 };
      s.bound += r.bound_ms; s.asked += r.asked_ms; s.planned += r.planned_ms; s.shown += r.shown_ms;
      by.set(r.campaign, s);
    }
    return by.size ? bars([...by].map(([c, s]) => [campaignText(c), ['asked', 'planned', 'shown'].map((k) => [k, percent(s[k], s.bound)])]), '%') : null;
  }
  if (kind === 'uptime') for (const r of data.rows) { if (r.offline_ms) add(`${signText(r.sign)}: ${say('reports.offline')}`, r.offline_ms / 60000); }
  else for (const r of data.rows) add(kind === 'delivery' ? `${owner(r.owner)}: ${item(r)}` : `${signText(r.sign)}: ${owner(r.owner)}`, r.ms / 60000);
  const top = [...sums].sort((a, b) => b[1] - a[1]).slice(0, 15);
  return top.length ? bars(top.map(([label, n]) => [label, [['shown', n]]]), say('reports.minutes')) : null;
}

function coverage(data) {
  if (!data.coverage) return null;
  const missing = data.coverage.filter((c) => c.missing_ms > 0);
  const some = new Map(); // sign → its days that are proven in part
  for (const c of missing) if (!data.unproven?.includes(c.sign)) some.set(c.sign, [...(some.get(c.sign) || []), `${plainDate(c.day)} – ${number(Math.floor(10 * percent(c.ms, c.ms + c.missing_ms)) / 10, 1)} %`]);
  return [h('h2', {}, say('reports.coverage')), h('p', { cls: 'hint' }, say('reports.coverage_hint')), data.unproven?.length ? h('p', {}, say('reports.unproven', { list: data.unproven.map(signText).join(', ') })) : null,
    some.size ? [h('p', {}, say('reports.covered')), h('ul', {}, [...some].slice(0, 200).map(([id, days]) => h('li', {}, h('strong', {}, signText(id)), ': ', days.join('; '))))] : null, missing.length ? null : h('p', {}, say('reports.whole'))];
}

// straddling names the records of which nothing is counted.
function straddling(list) {
  if (!list?.length) return null;
  const when = (ms) => `${clock(ms, zone)} ${dateOf(ms, zone)}`;
  return [h('p', {}, say('reports.straddling')), h('ul', {}, list.slice(0, 200).map((x) => h('li', {}, h('strong', {}, signText(x.sign)), `: ${when(x.from_ms)} – ${when(x.until_ms)}`)))];
}

async function show(out, query) {
  const [data, companies, wall, asking] = await Promise.all([get(`/api/v1/reports/${query.kind}?${new URLSearchParams(query)}`), items('/api/v1/owners'), get('/api/v1/signs'), items('/api/v1/campaigns')]);
  signs = new Map(wall.signs.filter((s) => s.name).map((s) => [s.id, s.name]));
  campaigns = new Map(asking.map((c) => [c.id, c]));
  choices.sign.replaceChildren(...wall.signs.map((s) => h('option', { value: s.id, label: s.name || s.id })));
  choices.campaign.replaceChildren(...asking.map((c) => h('option', { value: c.id, label: c.name || c.id })));
  names = new Map(companies.map((o) => [o.id, o.name]));
  const cols = columns[query.kind];
  const letters = [...new Set(data.rows.map((r) => [r.campaign, r.letter || campaigns.get(r.campaign)?.letter]).filter(([c, l]) => c && l).map(([c, l]) => `${campaignText(c)}: ${l.number} (${plainDate(l.date)})`))];
  const only = [query.sign && say('reports.of_sign', { name: signText(query.sign) }), query.campaign && say('reports.of_campaign', { name: campaignText(query.campaign) })].filter(Boolean).join('; ');
  const csv = `/api/v1/reports/${query.kind}?${new URLSearchParams({ ...query, format: 'csv' })}`;
  const now = Date.now();
  out.replaceChildren(...[h('div', { cls: 'buttons screen-only' }, h('a', { cls: 'button', href: csv, download: `ledcast-${query.kind}.csv` }, say('reports.csv')), h('button', { type: 'button', onclick: () => window.print() }, say('reports.print'))),
    h('h2', {}, say(`reports.kind_${query.kind}`)), only ? h('p', {}, only) : null,
    h('p', { cls: 'hint' }, say('reports.made', { from: plainDate(query.from), to: plainDate(query.to), time: `${dateOf(now, zone)} ${clockSeconds(now, zone)}, ${zoneName(zone, now)}` })),
    letters.length ? h('p', {}, say('reports.letters', { list: letters.join('; ') })) : null,
    data.rows.length ? [plot(query.kind, data), h('div', { cls: 'panel wide' }, h('table', { cls: 'stack' }, h('thead', {}, h('tr', {}, cols.map(([k, , n]) => h('th', { scope: 'col', cls: n ? 'n' : null }, say(`reports.${k}`))))),
      h('tbody', {}, data.rows.slice(0, 1000).map((r) => h('tr', {}, cols.map(([k, f, n]) => h('td', { cls: n ? 'n' : null, data: { label: say(`reports.${k}`) } }, f(r)))))))), data.rows.length > 1000 ? h('p', { cls: 'hint' }, say('reports.more', { n: number(data.rows.length) })) : null] : h('p', { cls: 'hint' }, say('reports.nothing')),
    coverage(data), straddling(data.straddling), query.kind === 'uptime' ? h('p', { cls: 'hint' }, say('reports.uptime_hint')) : null].flat(Infinity).filter(Boolean));
}

const kind = options(h('select', { name: 'kind' }), kinds.map((k) => [k, say(`reports.kind_${k}`)]), kinds.includes(asked.get('kind')) ? asked.get('kind') : 'delivery');
const from = h('input', { type: 'date', name: 'from', required: true, value: asked.get('from') || addDays(today, -1) });
const to = h('input', { type: 'date', name: 'to', required: true, value: asked.get('to') || today });
const choices = { sign: h('datalist', { id: 'signs' }), campaign: h('datalist', { id: 'campaigns' }) };
const sign = h('input', { name: 'sign', list: 'signs', autocomplete: 'off', spellcheck: 'false', value: asked.get('sign') || '' });
const campaign = h('input', { name: 'campaign', list: 'campaigns', autocomplete: 'off', spellcheck: 'false', value: asked.get('campaign') || '' });
const go = h('button', { cls: 'main' }, say('reports.show'));
const out = h('div', { id: 'report' });
const form = h('form', { cls: 'panel screen-only' }, h('div', { cls: 'form-grid' }, field(say('reports.kind'), kind, { path: 'kind' }), field(say('reports.from'), from, { path: 'from' }), field(say('reports.to'), to, { path: 'to' }), field(say('reports.sign'), sign, { path: 'sign', hint: say('reports.all_hint') }), field(say('reports.campaign'), campaign, { path: 'campaign', hint: say('reports.all_hint') })), h('div', { cls: 'buttons' }, go), choices.sign, choices.campaign);
const run = () => busy(go, at('main'), async () => {
  const query = { kind: kind.value, from: from.value, to: to.value };
  if (sign.value.trim()) query.sign = sign.value.trim();
  if (campaign.value.trim()) query.campaign = campaign.value.trim();
  history.replaceState(null, '', `?${new URLSearchParams(query)}`);
  await show(out, query);
});
form.addEventListener('submit', (e) => { e.preventDefault(); run(); });
at('content').replaceChildren(h('p', { cls: 'hint screen-only' }, say(department ? 'reports.hint_department' : 'reports.hint_company')), form, out);
await run();
