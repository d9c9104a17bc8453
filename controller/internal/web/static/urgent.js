// @ts-check
// Urgent messages of the department: what runs, what waits, and a new one. One
// alert has a page of its own, /urgent?id=…; what it shows comes live.
import { get, items } from './api.js';
import { at, badge, busy, h } from './dom.js';
import { department, me } from './shell.js';
import { compose } from './urgentform.js';
import { AlertPage, band, stateText } from './urgentview.js';
import { moment, say } from './words.js';

const zone = 'Asia/Ho_Chi_Minh';
const writes = department && ['admin', 'author'].includes(me.role);
const id = new URLSearchParams(location.search).get('id');
const alerts = new Map();
let page = null;

function row(a) {
  return h('li', { cls: `panel alert-row ${a.mode}` }, h('a', { href: `/urgent?id=${encodeURIComponent(a.id)}` }, h('span', { cls: `mode ${a.mode}` }, say(`urgent.mode_${a.mode}`)), h('strong', {}, a.text || a.template || a.message || a.id)),
    h('ul', { cls: 'badges' }, h('li', {}, badge(stateText(a), a.state === 'running' ? '▶' : a.state === 'pending' ? '?' : '■', a.state === 'running' ? 'bad' : a.state === 'pending' ? 'warn' : '')),
      a.state === 'running' || a.state === 'ended' ? h('li', {}, badge(say('urgent.count', { showing: a.showing, targeted: a.targeted }), '◉', a.showing + a.sent >= a.targeted ? 'good' : 'warn')) : null,
      a.break_glass ? h('li', {}, badge(say('urgent.glass_broken'), '!', 'bad')) : null,
      a.missed.length ? h('li', {}, badge(say('urgent.missed_n', { n: a.missed.length }), '✕', 'bad')) : null),
    h('p', { cls: 'hint' }, say('urgent.until_at', { time: moment(a.until * 1000, zone) })));
}

function list() {
  const all = [...alerts.values()].sort((a, b) => b.created_ms - a.created_ms);
  const part = (title, states, none) => {
    const some = all.filter((a) => states.includes(a.state)).slice(0, 50);
    return [h('h2', {}, title), some.length ? h('ul', { cls: 'plain' }, some.map(row)) : h('p', { cls: 'hint' }, none)];
  };
  at('lists').replaceChildren(...[part(say('urgent.running'), ['running'], say('urgent.none_running')), part(say('urgent.waiting'), ['pending', 'draft'], say('urgent.none_waiting')), part(say('urgent.over'), ['ended'], say('urgent.none_over'))].flat());
}

function changed(a) {
  alerts.set(a.id, a);
  if (page) {
    if (a.id === id) page.hear(a);
  } else list();
}

function listen() {
  const link = at('link');
  const events = new EventSource('/api/v1/events');
  events.addEventListener('open', () => { link.dataset.state = 'live'; link.textContent = say('urgent.live'); });
  events.addEventListener('error', () => { link.dataset.state = 'lost'; link.textContent = say('urgent.lost'); });
  events.addEventListener('alert', (e) => changed(JSON.parse(e.data).alert || JSON.parse(e.data)));
}

async function load() {
  if (!department) {
    at('link').hidden = true; // nothing comes
    at('content').replaceChildren(h('p', { cls: 'hint' }, say('urgent.not_yours')));
    return;
  }
  if (id) {
    page = new AlertPage(await get(`/api/v1/alerts/${encodeURIComponent(id)}`));
    at('content').replaceChildren(h('p', {}, h('a', { href: '/urgent' }, say('urgent.back'))), page.root);
    await page.fill();
  } else {
    const write = writes ? h('button', { type: 'button', cls: 'main' }, say('urgent.new')) : null;
    at('content').replaceChildren(band(), h('div', { cls: 'buttons' }, write), h('div', { id: 'new' }), h('div', { id: 'lists' }));
    write?.addEventListener('click', () => busy(write, at('main'), async () => {
      write.hidden = true;
      at('new').replaceChildren(await compose(() => { at('new').replaceChildren(); write.hidden = false; write.focus(); }));
      at('new').querySelector('input, select, textarea').focus();
    }));
    for (const a of await items('/api/v1/alerts')) alerts.set(a.id, a);
    list();
  }
  listen();
}

await busy(at('content'), at('main'), load);
