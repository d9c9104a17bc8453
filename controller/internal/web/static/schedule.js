// @ts-check
// The schedule: a week as a grid, what wins when, and what loses and why.
import { get, items, read } from './api.js';
import { at, h, options, showProblem } from './dom.js';
import { joined, perHour, ruleClass } from './day.js';
import { days, dayName, lanes, spread } from './hours.js';
import { editSchedule } from './schedform.js';
import { learnNames } from './names.js';
import { me, writes } from './shell.js';
import { ruleText } from './signview.js';
import { addDays, both, clock, isoDate, number, plainDate, say, weekday, zoneName } from './words.js';

const state = { signs: [], schedules: [], lists: [], days: [], campaigns: new Map(), serial: 0 };
const choice = at('choice').elements;
const step = 30; // minutes to which dragging snaps
const hhmm = (m) => `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`;

const sign = () => state.signs.find((s) => s.id === choice.sign.value);
const zone = () => (sign() || state.signs[0] || {}).time_zone || 'Asia/Ho_Chi_Minh';
const monday = () => addDays(choice.week.value, -weekday(choice.week.value));

// covers says whether a schedule is for the sign that is looked at.
function covers(s) {
  const x = sign();
  if (!x || (!(s.signs || []).length && !(s.tags || []).length)) return true;
  return (s.signs || []).includes(x.id) || (s.tags || []).some((t) => (x.tags || []).includes(t));
}

const opens = (s) => (iso) => (!s.days || !s.days.length || s.days.includes(days[weekday(iso)])) && (!s.first || iso >= s.first) && (!s.last || iso <= s.last) && !(s.except || []).includes(iso);
// nameOf is what people call a schedule: its name, or its playlist's.
const nameOf = (s) => s.name || (state.lists.find(([ref]) => ref === s.playlist) || [])[1] || s.id;
const own = () => !sign() || sign().owner === me.owner;

async function load() {
  const mine = ++state.serial;
  await learnNames();
  const x = sign();
  const week = [...Array(7).keys()].map((i) => addDays(monday(), i));
  try {
    const [schedules, ...loaded] = await Promise.all([items(`/api/v1/owners/${me.owner}/schedules`), ...(x ? week.map((d) => get(`/api/v1/signs/${x.id}/day?date=${d}`)) : [])]);
    if (mine !== state.serial) return;
    state.schedules = schedules;
    state.days = loaded;
    draw(week);
    const today = week.indexOf(isoDate(Date.now(), zone()));
    const head = at('week').querySelectorAll('.day-head')[today + 1];
    if (today > 0 && !state.moved && at('week').scrollWidth > at('week').clientWidth) at('week').scrollLeft = head.offsetLeft - at('week').offsetLeft - 60; // a phone shows three days: the first is today
    state.moved = true;
  } catch (p) {
    showProblem(at('main'), p);
  }
}

async function open(schedule) {
  let etag = '';
  let thing = schedule;
  if (schedule.id) {
    try {
      const x = await read(`/api/v1/owners/${me.owner}/schedules/${schedule.id}`);
      thing = x.data;
      etag = x.etag;
    } catch (p) {
      showProblem(at('main'), p);
      return;
    }
  }
  const done = await editSchedule(thing, etag, { lists: state.lists, signs: state.signs.filter((s) => s.owner === me.owner), taken: state.schedules.map((s) => s.id), writable: writes });
  if (done) await load();
}

// begin is a new schedule on what is looked at.
const begin = (more) => open({ ...(sign() && own() ? { signs: [sign().id] } : {}), ...more });

// drag draws a new stretch on a day's column.
function drag(column, iso) {
  let from = null;
  let draft;
  const minute = (e) => {
    const r = column.getBoundingClientRect();
    return Math.max(0, Math.min(1440, Math.round((e.clientY - r.top) / r.height * 1440 / step) * step));
  };
  const stretch = (e) => [Math.min(from, minute(e)), Math.max(from, minute(e))];
  column.addEventListener('pointerdown', (e) => {
    if (e.target !== column || e.button !== 0 || e.pointerType === 'touch') return;
    from = minute(e);
    column.setPointerCapture(e.pointerId);
    draft = h('div', { cls: 'draft' });
    column.append(draft);
  });
  column.addEventListener('pointermove', (e) => {
    if (from === null) return;
    const [a, b] = stretch(e);
    draft.style.setProperty('top', `${a / 14.4}%`);
    draft.style.setProperty('height', `${(b - a) / 14.4}%`);
    draft.textContent = `${hhmm(a)}–${hhmm(b)}`;
  });
  column.addEventListener('pointerup', (e) => {
    if (from === null) return;
    const [a, b] = stretch(e);
    from = null;
    draft.remove();
    if (b > a) begin({ days: [days[weekday(iso)]], from: hhmm(a), until: hhmm(b) });
  });
  column.addEventListener('click', (e) => { // a finger points; it scrolls when it drags
    if (e.target !== column || e.pointerType !== 'touch') return;
    const a = Math.floor(minute(e) / 60) * 60;
    begin({ days: [days[weekday(iso)]], from: hhmm(Math.min(a, 1380)), until: hhmm(Math.min(a + 60, 1440)) });
  });
}

function column(iso, i) {
  const box = h('div', { cls: 'day' });
  /** @type {{s: import('./types').Schedule, from: number, until: number, lane?: number, of?: number}[]} */
  const blocks = [];
  for (const s of state.schedules.filter(covers)) {
    for (const [from, until] of spread(s, opens(s), iso, addDays(iso, -1))) blocks.push({ s, from, until });
  }
  const day = state.days[i];
  lanes(blocks);
  const lostTo = (b) => day && joined(day.spans).find((x) => (x.lost || []).some((l) => l.rule === `schedule:${b.s.id}`) && (x.from - day.from) / 60 < b.until && (x.until - day.from) / 60 > b.from);
  const room = day ? 'calc(100% - 12px)' : '100%';
  for (const b of blocks) {
    const lost = lostTo(b);
    const loses = lost ? say('plan.loses', { rule: ruleText(lost.rule) }) : '';
    box.append(h('button', { type: 'button', cls: `block ${ruleClass(`schedule:${b.s.id}`)}${b.until - b.from < 90 ? ' short' : ''}`, title: [`${nameOf(b.s)} ${hhmm(b.from)}–${hhmm(b.until)}`, loses].filter(Boolean).join('; '), onclick: () => open(b.s),
      css: { top: `${b.from / 14.4}%`, height: `${(b.until - b.from) / 14.4}%`, left: `calc(${room} * ${b.lane / b.of})`, width: `calc(${room} / ${b.of} - 2px)`, right: 'auto' } }, h('span', {}, lost ? '⚠ ' : '', nameOf(b.s)), h('span', { cls: 'unseen' }, dayName(days[i])), h('span', {}, `${hhmm(b.from)}–${hhmm(b.until)}`), h('span', { cls: 'unseen' }, loses)));
  }
  if (day) {
    const length = day.until - day.from;
    for (const x of joined(day.spans)) box.append(h('div', { cls: `won ${ruleClass(x.rule)}`, title: ruleText(x.rule), css: { top: `${(x.from - day.from) / length * 100}%`, height: `${(x.until - x.from) / length * 100}%` } }));
  }
  if (writes && own()) drag(box, iso);
  return box;
}

function draw(week) {
  at('add').hidden = !(writes && own());
  at('zone').textContent = say(writes && own() ? 'plan.zone_drag' : 'plan.zone', { zone: zoneName(zone()) });
  at('week').replaceChildren(h('div', { cls: 'week' }, h('div', { cls: 'day-head' }), week.map((d, i) => h('div', { cls: 'day-head' }, `${dayName(days[i])} ${plainDate(d).slice(0, 5)}`)),
    h('div', { cls: 'hours', 'aria-hidden': 'true' }, [...Array(24).keys()].map((n) => h('span', { css: { top: `${n / 24 * 100}%` } }, `${n}h`))), week.map(column)));
  drawRules();
  drawShares(week);
  drawConflicts(week);
}

const table = (heads, rows, empty) => (rows.length ? h('table', { cls: 'stack' }, h('thead', {}, h('tr', {}, heads.map((x) => h('th', { scope: 'col' }, x)))), h('tbody', {}, rows.map((r) => h('tr', {}, r.map((c, i) => h('td', { data: { label: heads[i] } }, c)))))) : h('p', { cls: 'hint' }, empty));

function drawRules() {
  const listName = new Map(state.lists);
  const when = (s) => `${!s.days || !s.days.length ? say('plan.every_day') : s.days.map(dayName).join(', ')} ${s.from || '00:00'}–${s.until || '24:00'}`;
  const between = (s) => [s.first || s.last ? `${s.first ? plainDate(s.first) : '…'} – ${s.last ? plainDate(s.last) : '…'}` : say('plan.always'), (s.except || []).length ? say('c.but', { list: s.except.map(plainDate).join(', ') }) : ''].filter(Boolean).join('; ');
  const where = (s) => [...(s.signs || []).map((id) => (state.signs.find((x) => x.id === id) || {}).name || id), ...(s.tags || []).map((t) => `#${t}`)].join(', ') || say('c.all_signs');
  const rows = state.schedules.filter(covers).map((s) => [h('button', { type: 'button', cls: 'quiet', onclick: () => open(s) }, nameOf(s)), listName.get(s.playlist) || s.playlist, when(s), between(s), where(s), String(s.priority || 0)]);
  at('rules').replaceChildren(table([say('plan.name'), say('plan.playlist'), say('plan.when'), say('plan.dates'), say('c.signs'), say('plan.priority')], rows, say(own() ? 'plan.no_rules' : 'plan.theirs')));
}

// drawShares sums up what each campaign gets on each day.
function drawShares(week) {
  const rows = [];
  state.days.forEach((d, i) => {
    const sums = new Map();
    for (const x of d.spans) {
      for (const c of x.campaigns || []) {
        const sum = sums.get(c.id) || { c, hours: 0, seconds: 0, low: Infinity, high: 0, asked: 0, planned: 100 };
        const hours = (x.until - x.from) / 3600;
        Object.assign(sum, { hours: sum.hours + hours, seconds: sum.seconds + hours * perHour(c), low: Math.min(sum.low, perHour(c)), high: Math.max(sum.high, perHour(c)), asked: Math.max(sum.asked, c.asked_percent), planned: Math.min(sum.planned, c.planned_percent) });
        sums.set(c.id, sum);
      }
    }
    for (const { c, hours, seconds, low, high, asked, planned } of sums.values()) {
      rows.push([`${dayName(days[i])} ${plainDate(week[i]).slice(0, 5)}`, `${state.campaigns.get(c.id) || c.id} (${c.letter.number}, ${plainDate(c.letter.date)})`, `${number(asked, 1)} %`, `${number(planned, 1)} %`,
        say('plan.seconds', { n: low === high ? number(low) : `${number(low)}–${number(high)}` }), say('plan.minutes', { n: number(seconds / 60), hours: number(hours, 1) })]);
    }
  });
  at('shares').replaceChildren(table([say('plan.when'), say('plan.campaign'), say('plan.asked'), say('plan.planned'), say('plan.per_hour'), say('plan.per_day')], rows, sign() ? say('plan.no_shares') : say('plan.choose_sign')));
}

const time = (t, d) => (t === d.until ? '24:00' : clock(t * 1000, zone()));

function drawConflicts(week) {
  const rows = [];
  state.days.forEach((d, i) => {
    for (const x of joined(d.spans)) for (const l of x.lost || []) if (/^(schedule|campaign):/.test(l.rule)) rows.push([`${dayName(days[i])} ${plainDate(week[i]).slice(0, 5)}, ${time(x.from, d)}–${time(x.until, d)}`, ruleText(x.rule), ruleText(l.rule), both(l.because)]);
  });
  at('conflicts').replaceChildren(table([say('plan.when'), say('plan.wins'), say('plan.lost'), say('plan.because')], rows.slice(0, 80), sign() ? say('plan.no_conflicts') : say('plan.choose_sign')));
}

async function start() {
  const [all, asking, lists, theirs] = await Promise.all([get('/api/v1/signs'), items('/api/v1/campaigns'), items(`/api/v1/owners/${me.owner}/playlists`), me.owner === 'public' ? [] : items('/api/v1/owners/public/playlists')]);
  state.signs = all.signs;
  state.campaigns = new Map(asking.map((c) => [c.id, c.name]));
  state.lists = [...lists.map((p) => [p.id, p.name || p.id]), ...theirs.map((p) => [`public/${p.id}`, `${p.name || p.id} (${say('c.department')})`])];
  const query = new URLSearchParams(location.search);
  const wanted = query.get('sign') || (all.signs.length === 1 ? all.signs[0].id : '');
  options(choice.sign, [['', say('c.all_signs')], ...all.signs.map((s) => [s.id, s.name || s.id])], all.signs.some((s) => s.id === wanted) ? wanted : (all.signs[0] || { id: '' }).id);
  choice.week.value = isoDate(all.now_ms, zone());
  for (const c of [choice.sign, choice.week]) c.addEventListener('change', () => { if (choice.week.value) load(); });
  const shift = (n) => () => { choice.week.value = addDays(monday(), n); load(); };
  at('before').addEventListener('click', shift(-7));
  at('after').addEventListener('click', shift(7));
  at('add').addEventListener('click', () => begin({ from: '06:00', until: '22:00' }));
  at('choice').addEventListener('submit', (e) => e.preventDefault());
  await load();
}

await start();
