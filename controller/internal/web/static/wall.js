// The wall: every sign's face, live from the controller's events. What a sign
// says of itself decides what is drawn; a sign that falls silent goes stale.
import { get, post } from './api.js';
import { areaText, covers, depth, inOrder } from './areanames.js';
import { at, busy, h, options, debounced } from './dom.js';
import { Live, setSkew, now, pause } from './faces.js';
import { Grid } from './grid.js';
import { SignMap } from './map.js';
import { learnNames } from './names.js';
import { admin, department, me } from './shell.js';
import { badges, build, conditions, light, marks, shows } from './signview.js';
import { say, ago, lang } from './words.js';

const wall = at('wall');
const link = at('link');
const filters = at('filters');
const signs = new Map();
let areas = [];
let connected = false;
let lastEvent = 0;

class Card {
  constructor(sign) {
    this.name = h('a', { href: `/signs/${sign.id}` });
    this.canvas = h('canvas', { role: 'img', css: { '--ratio': `${sign.w} / ${sign.h}`, '--shape': Math.min(1, sign.w / sign.h / 2) } });
    this.veil = h('p', { cls: 'veil' });
    this.title = h('p', { cls: 'title' });
    this.why = h('p', { cls: 'why' });
    this.badges = h('ul', { cls: 'badges' });
    this.notes = h('p', { cls: 'notes' });
    this.heard = h('span');
    const id = `name-${sign.id}`;
    this.name.id = id;
    this.root = h('article', { cls: 'sign', 'aria-labelledby': id }, h('h2', {}, this.name), h('div', { cls: 'face' }, this.canvas, this.veil),
      h('div', { cls: 'says' }, this.title, this.why, this.badges), this.notes);
    this.live = new Live(this.canvas, sign);
    this.update(sign);
  }

  update(sign) {
    this.sign = sign;
    this.live.update(sign);
    this.root.dataset.state = sign.state;
    this.name.textContent = sign.name || sign.id;
    const { title, why } = shows(sign);
    this.title.textContent = title;
    this.why.textContent = why;
    this.canvas.setAttribute('aria-label', `${sign.name || sign.id}: ${title}`);
    this.badges.replaceChildren(...badges(sign));
    this.notes.replaceChildren([sign.id, build(sign), department ? sign.owner_name || sign.owner : ''].filter(Boolean).join(' · '), ' · ', this.heard);
    this.root.classList.toggle('differs', sign.agrees === false);
    this.age();
  }

  age() {
    const { sign } = this;
    const seconds = sign.heard_ms ? Math.max(0, (now() - sign.heard_ms) / 1000) : -1;
    const text = seconds < 0 ? say('face.heard_never') : say('face.heard', { ago: ago(seconds) });
    if (this.heard.textContent !== text) this.heard.textContent = text;
    const veiled = sign.state !== 'online' || !connected;
    const state = sign.state === 'online' ? 'stale' : sign.state;
    this.veil.textContent = veiled ? say(`face.veil_${state}`) : '';
    this.root.classList.toggle('veiled', veiled);
  }

  end() { this.live.end(); }
}

const grid = new Grid(wall, (sign) => new Card(sign), 340);
const map = new SignMap(at('map'), () => areas);
let view = 'faces';

const collator = new Intl.Collator(lang, { numeric: true });
const fold = (text) => text.toLowerCase().replaceAll('đ', 'd').normalize('NFD').replace(/[\u0300-\u036f]/g, '');

// newcomers lets the department count all new signs at once.
function newcomers() {
  const fresh = [...signs.values()].filter((s) => s.alerts === 'new').map((s) => s.id);
  const box = at('newcomers');
  const text = fresh.join(' ');
  if (!department || !admin || box.dataset.of === text) return;
  box.dataset.of = text;
  box.hidden = fresh.length === 0;
  const all = h('button', { type: 'button', cls: 'quiet' }, say('wall.new_count', { n: fresh.length }));
  all.addEventListener('click', () => busy(all, box, () => post('/api/v1/signs/review', { signs: fresh })));
  const only = h('button', { type: 'button', cls: 'quiet' }, say('wall.new_show'));
  only.addEventListener('click', () => { filters.elements.state.value = 'new'; refilter(); });
  box.replaceChildren(say('wall.new', { n: fresh.length }), ' ', only, ' ', all);
}

// refilter shows the signs that the filters let through.
function refilter() {
  const f = new FormData(filters);
  const words = fold(f.get('text')).split(/\s+/).filter(Boolean);
  const area = f.get('area');
  const state = f.get('state');
  const owner = f.get('owner');
  const list = [...signs.values()].filter((s) => {
    if (area && !s.areas.some((a) => covers(area, a))) return false;
    if (owner && s.owner !== owner) return false;
    if (state && !marks(s).some(([key]) => key === state)) return false;
    if (!words.length) return true;
    const text = fold(`${s.id} ${s.name} ${s.owner_name} ${s.class} ${(s.tags || []).join(' ')} ${s.showing ? s.showing.title || '' : ''}`);
    return words.every((w) => text.includes(w));
  });
  list.sort((a, b) => collator.compare(a.name || a.id, b.name || b.id) || collator.compare(a.id, b.id));
  if (view === 'faces') grid.show(list);
  else map.show(list);
  const wrong = list.filter((s) => !s.out_of_service && (s.state !== 'online' || marks(s).some(([, , kind]) => kind === 'bad'))).length;
  at('count').textContent = signs.size === 0 ? say('wall.empty') : list.length === 0 ? say('wall.none') : say('wall.count', { n: list.length, all: signs.size, wrong });
  const query = new URLSearchParams([...f].filter(([, v]) => v));
  if (view === 'map') query.set('view', 'map');
  history.replaceState(null, '', query.size ? `?${query}` : location.pathname);
}
const soon = debounced(400, refilter);

function choose(name) {
  view = name;
  for (const b of filters.querySelectorAll('[data-view]')) b.setAttribute('aria-pressed', String(b.dataset.view === name));
  at('map').hidden = name !== 'map';
  wall.hidden = name === 'map';
  refilter();
}

function setLink(state) {
  if (connected === (state === 'live') && link.dataset.state === state) return;
  connected = state === 'live';
  link.textContent = say(state === 'live' ? 'wall.live' : 'wall.lost');
  link.dataset.state = state;
  for (const card of grid.cards.values()) card.age();
}

// take is a sign's new view. Only what is on screen is touched.
function take(sign) {
  const old = signs.get(sign.id);
  signs.set(sign.id, sign);
  newcomers();
  grid.update(sign);
  const f = filters.elements;
  if (!old || ((f.state.value || view === 'map') && light(old) !== light(sign)) || f.text.value) soon();
}

async function start() {
  const query = new URLSearchParams(location.search);
  const [list, areaList] = await Promise.all([get('/api/v1/signs'), get('/api/v1/areas')]);
  areas = areaList.items;
  setSkew(list.now_ms - Date.now());
  for (const s of list.signs) signs.set(s.id, s);
  newcomers();
  const f = filters.elements;
  // A link may name an area that was replaced, or that is not there.
  const area = query.get('area') || '';
  const gone = area && !areas.some((a) => a.code === area && !a.replaced_by) ? [[area, areaText(areas, area)]] : [];
  options(f.area, [['', say('wall.all_areas')], ...inOrder(areas.filter((a) => !a.replaced_by)).map((a) => [a.code, `${'\u2003'.repeat(depth(a.code))}${a.name}`]), ...gone], area);
  options(f.state, [['', say('wall.all_states')], ...conditions.map((c) => [c, say(`face.is_${c}`)])], query.get('state') || '');
  const owners = new Map(list.signs.map((s) => [s.owner, s.owner_name || s.owner]));
  at('owner-filter').hidden = !department || owners.size < 2;
  options(f.owner, [['', say('wall.all_owners')], ...[...owners].sort((a, b) => collator.compare(a[1], b[1]))], query.get('owner') || '');
  f.text.value = query.get('text') || '';
  wall.removeAttribute('aria-busy');
  choose(query.get('view') === 'map' ? 'map' : 'faces');
  if (!department && me.role === 'admin') at('count').after(h('p', { cls: 'buttons' }, h('a', { cls: 'button', href: '/add-sign' }, say('wall.add'))));
  listen();
  await learnNames(); // the faces need not wait for it
  for (const card of grid.cards.values()) card.update(signs.get(card.sign.id));
}

function listen() {
  const source = new EventSource('/api/v1/events');
  source.addEventListener('sign', (e) => {
    const { now_ms: ms, sign } = JSON.parse(e.data);
    setSkew(ms - Date.now());
    lastEvent = Date.now();
    take(sign);
    setLink('live');
  });
  source.addEventListener('alive', () => { lastEvent = Date.now(); });
  source.addEventListener('open', () => { lastEvent = Date.now(); setLink('live'); });
  source.addEventListener('error', () => {
    setLink('lost');
    if (source.readyState === EventSource.CLOSED) { // refused: signed out, or the controller is gone
      setTimeout(() => get('/api/v1/me').then(listen, listen), 3000);
    }
  });
}

filters.addEventListener('submit', (e) => e.preventDefault());
filters.addEventListener('input', debounced(120, refilter));
for (const b of filters.querySelectorAll('[data-view]')) b.addEventListener('click', () => choose(b.dataset.view));
at('pause').addEventListener('click', () => {
  const on = at('pause').getAttribute('aria-pressed') !== 'true';
  at('pause').setAttribute('aria-pressed', String(on));
  pause(on);
});

setInterval(() => {
  if (connected && Date.now() - lastEvent > 20000) setLink('lost');
  for (const card of grid.cards.values()) card.age();
}, 1000);

await start();
