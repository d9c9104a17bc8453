// Playlists, messages and pictures of an owner: lists on the left, what one
// works on beside them.
import { fresh, get, items, read, slug } from './api.js';
import { ask, at, busy, dialog, field, h, options, showProblem } from './dom.js';
import { ListEditor } from './listedit.js';
import { mediaPanel } from './media.js';
import { MessageEditor } from './msgedit.js';
import { me, owners, writes } from './shell.js';
import { say } from './words.js';

const left = at('left');
const right = at('right');
const state = { owner: me.owner, lists: [], messages: [], publicMessages: [], media: [], classes: [], part: 'lists' };

const base = () => `/api/v1/owners/${state.owner}`;

const titleOf = (m) => {
  for (const v of m.variants || []) for (const t of [v.headline, v.body, v.caption]) if (t && t.trim()) return t.trim().replace(/\s+/g, ' ');
  return m.id;
};

const host = {
  chosen: new Set(),
  get owner() { return state.owner; },
  get writable() { return writes && state.owner === me.owner; },
  classes: () => state.classes,
  media: () => state.media,
  messages: () => state.messages,
  messageIDs: () => state.messages.map((m) => m.id),
  choices: () => [...state.messages.map((m) => [m.id, titleOf(m)]), ...(state.owner === 'public' ? [] : state.publicMessages.map((m) => [`public/${m.id}`, `${titleOf(m)} (${say('c.department')})`]))],
  titleOf(ref) {
    const theirs = ref.startsWith('public/');
    const m = (theirs ? state.publicMessages : state.messages).find((x) => x.id === (theirs ? ref.slice(7) : ref));
    return m ? titleOf(m) : ref;
  },
  async openMessage(ref) {
    const owner = ref.startsWith('public/') ? 'public' : state.owner;
    await openMessage(owner, ref.replace(/^public\//, ''));
  },
  async changed(id) {
    await load();
    if (state.part !== 'lists' || !lists.history) draw();
    else options(lists.choice, host.choices(), id || undefined);
  },
  async mediaChanged() {
    state.media = await items(`${base()}/media`);
  },
  async use(id) {
    await newMessage({ image: { media: id } });
  },
};

const lists = new ListEditor(h('div'), { get owner() { return state.owner; }, get writable() { return host.writable; }, choices: host.choices, titleOf: host.titleOf, openMessage: host.openMessage,
  async changed(id) {
    await load();
    if (!id) lists.box.replaceChildren();
    draw();
  } });

let editor = new MessageEditor(right, host);

const mayLeave = async () => !editor.dirty || ask(say('c.unsaved'), say('c.unsaved_text'), say('c.discard'));

async function edit(owner, message, etag) {
  // Somebody else's message is read, not written.
  const own = owner === state.owner ? host : Object.create(host, { owner: { value: owner }, writable: { value: false }, media: { value: () => [] } });
  editor = new MessageEditor(right, own);
  await editor.open(message, etag);
  right.scrollIntoView({ block: 'nearest' });
}

async function openMessage(owner, id) {
  if (!await mayLeave()) return;
  try {
    const m = await read(`/api/v1/owners/${owner}/messages/${id}`);
    await edit(owner, m.data, m.etag);
  } catch (p) {
    showProblem(at('main'), p);
  }
}

async function newMessage(start) {
  if (!await mayLeave()) return;
  await edit(state.owner, { owner: state.owner, ...start }, '');
  right.querySelector('textarea, input:not([type=checkbox])')?.focus({ preventScroll: true });
}

async function load() {
  const [l, m, p, media] = await Promise.all([items(`${base()}/playlists`), items(`${base()}/messages`), state.owner === 'public' ? [] : items('/api/v1/owners/public/messages'), items(`${base()}/media`)]);
  Object.assign(state, { lists: l, messages: m, publicMessages: p, media });
}

async function openList(id) {
  try {
    const x = await read(`${base()}/playlists/${id}`);
    if (await lists.open(x.data, x.etag)) draw();
  } catch (p) {
    showProblem(at('main'), p);
  }
}

function newList() {
  dialog(say('lists.new'), (close) => {
    const name = h('input', { required: true, maxlength: 200, autocomplete: 'off' });
    const form = h('form', {}, field(say('lists.name'), name), h('div', { cls: 'buttons' }, h('button', { cls: 'main' }, say('lists.make')), h('button', { type: 'button', cls: 'quiet', onclick: () => close(null) }, say('c.cancel'))));
    form.addEventListener('submit', (e) => { e.preventDefault(); close(name.value.trim()); });
    return form;
  }).then(async (name) => {
    if (!name) return;
    const id = fresh(slug(name, 'danh-sach'), state.lists.map((x) => x.id));
    if (await lists.open({ id, owner: state.owner, name, items: [] }, '')) draw();
  });
}

function draw() {
  for (const b of document.querySelectorAll('[data-part]')) b.setAttribute('aria-pressed', String(b.dataset.part === state.part));
  const add = (key, f) => (host.writable ? h('button', { type: 'button', cls: 'main', onclick: f }, say(key)) : null);
  if (state.part === 'media') {
    mediaPanel(left, host);
    return;
  }
  if (state.part === 'messages') {
    left.replaceChildren(h('h2', {}, say('msg.title')), h('div', { cls: 'buttons' }, add('msg.new', () => newMessage({})) || ''), state.messages.length ? h('ul', { cls: 'plain' }, state.messages.map((m) => h('li', { cls: 'item' }, h('span', { 'aria-hidden': 'true' }, '▤'), h('button', { type: 'button', cls: 'quiet name', onclick: () => openMessage(state.owner, m.id) }, titleOf(m)), h('span', { cls: 'hint' }, m.id)))) : h('p', { cls: 'hint' }, say('msg.none')));
    return;
  }
  const here = lists.history ? lists.history.now.id : '';
  left.replaceChildren(h('h2', {}, say('lists.title')), h('div', { cls: 'buttons' }, ...state.lists.map((l) => h('button', { type: 'button', 'aria-pressed': String(l.id === here), onclick: () => openList(l.id) }, l.name || l.id)), add('lists.new', newList) || ''),
    state.lists.length || here ? '' : h('p', { cls: 'hint' }, say('lists.empty')), lists.history ? lists.box : '');
}

async function start() {
  const [list, all] = await Promise.all([owners(), get('/api/v1/signs')]);
  const count = new Map();
  for (const s of all.signs) count.set(s.class, (count.get(s.class) || 0) + 1);
  state.classes = [...count].sort((a, b) => b[1] - a[1]).map(([c]) => c).slice(0, 12);
  if (!state.classes.length) state.classes = ['128x64-rgb', '64x32-red'];
  for (const c of state.classes.slice(0, 3)) host.chosen.add(c);
  if (list.length > 1) {
    at('owner-choice').hidden = false;
    options(at('owner'), list.map((o) => [o.id, o.name]), state.owner);
    at('owner').addEventListener('change', async () => {
      if ((lists.dirty || editor.dirty) && !await ask(say('c.unsaved'), say('c.unsaved_text'), say('c.discard'))) {
        at('owner').value = state.owner;
        return;
      }
      state.owner = at('owner').value;
      lists.history = null;
      editor.history = null;
      right.replaceChildren(h('p', { cls: 'hint' }, say('msg.choose')));
      await busy(at('owner'), at('main'), load);
      draw();
    });
  }
  for (const b of document.querySelectorAll('[data-part]')) b.addEventListener('click', () => { state.part = b.dataset.part; draw(); });
  right.replaceChildren(h('p', { cls: 'hint' }, say('msg.choose')));
  await load();
  draw();
  if (state.lists.length) await openList(state.lists[0].id);
}

window.addEventListener('beforeunload', (e) => { if (lists.dirty || editor.dirty) e.preventDefault(); });
await start();
