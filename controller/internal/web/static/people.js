// People of a company, or of everybody for the department's administrators.
import { items, post, read, remove } from './api.js';
import { areaText } from './areanames.js';
import { ask, at, busy, clearProblems, dialog, field, h, options, problems } from './dom.js';
import { save } from './conflict.js';
import { department, me } from './shell.js';
import { moment, say } from './words.js';

const content = at('content');
const roles = (owner) => (owner === 'public' ? ['admin', 'author', 'approver', 'viewer'] : ['admin', 'editor', 'viewer']);
let owners = [];
let areas = [];
let people = [];
const here = 'Asia/Ho_Chi_Minh';

const ownerName = (id) => (id === 'public' ? say('c.department') : (owners.find((o) => o.id === id) || {}).name || id);

function showLink(user, link) {
  const url = new URL(link.path, location.origin).href;
  return dialog(say('people.link_for', { name: user.name || user.id }), (close) => {
    const said = h('p', { role: 'status' });
    const copy = h('button', { type: 'button', cls: 'main', onclick: async () => {
      try {
        await navigator.clipboard.writeText(url);
        said.textContent = say('people.copied');
      } catch {
        said.textContent = say('people.copy_by_hand');
      }
    } }, say('people.copy'));
    return [h('p', {}, say('people.link_text', { until: moment(link.expires_ms, here) })), h('p', { cls: 'code', id: 'link' }, url), said, h('div', { cls: 'buttons' }, copy, h('button', { type: 'button', cls: 'quiet', onclick: () => close(null) }, say('c.close')))];
  });
}

async function edit(user) {
  const found = user ? await read(`/api/v1/users/${user.id}`) : { data: { owner: me.owner, role: department ? 'author' : 'editor' }, etag: '' };
  const u = found.data;
  const done = await dialog(user ? say('people.edit', { name: u.name || u.id }) : say('people.add'), (close) => {
    const c = {
      id: h('input', { name: 'id', required: true, pattern: '[a-z0-9][a-z0-9\\-]{1,47}', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'none', value: u.id || '' }),
      name: h('input', { name: 'name', maxlength: 200, autocomplete: 'off', value: u.name || '' }),
      phone: h('input', { name: 'phone', type: 'tel', autocomplete: 'off', value: u.phone || '' }),
      owner: options(h('select', { name: 'owner' }), [...new Set(['public', ...owners.map((o) => o.id)])].map((id) => [id, ownerName(id)]), u.owner),
      role: h('select', { name: 'role' }),
    };
    const boxes = areas.filter((a) => !a.replaced_by || (u.areas || []).includes(a.code)).map((a) => [a.code, h('input', { type: 'checkbox', checked: (u.areas || []).includes(a.code) }), areaText(areas, a.code)]);
    const officer = h('fieldset', {}, h('legend', {}, say('people.areas')), h('p', { cls: 'hint' }, say('people.areas_hint')), h('div', { cls: 'days-choice' }, boxes.map(([, b, n]) => h('label', { cls: 'check' }, b, n))));
    const fit = () => {
      const owner = user || !department ? u.owner : c.owner.value;
      options(c.role, roles(owner).map((r) => [r, say(`role.${r}`)]), roles(owner).includes(u.role) ? u.role : roles(owner)[1]);
      officer.hidden = owner !== 'public';
    };
    c.owner.addEventListener('change', fit);
    fit();
    const button = h('button', { cls: 'main' }, say('people.save'));
    const form = h('form', {}, user ? null : field(say('people.id'), c.id, { path: 'id', hint: say('people.id_hint') }), field(say('people.name'), c.name, { path: 'name' }), !user && department ? field(say('people.owner'), c.owner, { path: 'owner' }) : null,
      field(say('people.role'), c.role, { path: 'role', hint: say('people.role_hint') }), field(say('people.phone'), c.phone, { path: 'phone' }), officer, problems(),
      h('div', { cls: 'buttons' }, button, h('button', { type: 'button', cls: 'quiet', onclick: () => close(null) }, say('c.cancel'))));
    form.addEventListener('submit', (e) => {
      e.preventDefault();
      busy(button, form, async () => {
        clearProblems(form);
        const body = { ...u, role: c.role.value, owner: user || !department ? u.owner : c.owner.value, id: user ? u.id : c.id.value.trim() };
        for (const k of ['name', 'phone']) {
          if (c[k].value.trim()) body[k] = c[k].value.trim();
          else delete body[k];
        }
        const chosen = boxes.filter(([, b]) => b.checked).map(([code]) => code);
        if (body.owner === 'public' && chosen.length) body.areas = chosen;
        else delete body.areas;
        const path = `/api/v1/users/${body.id}`;
        const answer = await save(path, body, found.etag, path, true);
        if (answer) close(body);
      });
    });
    return form;
  });
  if (!done) return;
  await load();
  if (!user) await showLink(done, await post(`/api/v1/users/${done.id}/link`));
}

function actions(u) {
  const box = h('div', { cls: 'buttons' });
  const button = (key, cls, f) => {
    const b = h('button', { type: 'button', cls }, say(key));
    b.addEventListener('click', () => busy(b, at('main'), f));
    return b;
  };
  box.append(button('people.change', 'quiet', () => edit(u)),
    button('people.link', 'quiet', async () => showLink(u, await post(`/api/v1/users/${u.id}/link`))),
    button('people.out', 'quiet', async () => {
      if (!await ask(say('people.out'), say('people.out_ask', { name: u.name || u.id }), say('people.out'))) return;
      await remove(`/api/v1/users/${u.id}/sessions`);
      at('done').textContent = say('people.out_done', { name: u.name || u.id });
      at('done').hidden = false;
    }));
  if (`user:${u.id}` !== me.id) {
    box.append(button(u.disabled ? 'people.enable' : 'people.disable', u.disabled ? 'quiet' : 'danger', async () => {
      if (!u.disabled && !await ask(say('people.disable'), say('people.disable_ask', { name: u.name || u.id }), say('people.disable'))) return;
      const { data, etag } = await read(`/api/v1/users/${u.id}`);
      if (u.disabled) delete data.disabled;
      else data.disabled = true;
      await save(`/api/v1/users/${u.id}`, data, etag);
      await load();
    }));
  }
  return box;
}

async function load() {
  people = await items('/api/v1/users');
  const heads = [say('people.name'), say('people.id'), say('people.role'), say('people.owner'), say('people.phone'), say('people.state'), say('c.actions')];
  const cell = (i, ...x) => h('td', { data: { label: heads[i] } }, ...x);
  const add = h('button', { type: 'button', cls: 'main' }, say('people.add'));
  add.addEventListener('click', () => busy(add, at('main'), () => edit(null)));
  content.replaceChildren(h('p', { cls: 'ok', id: 'done', role: 'status', hidden: true }), h('div', { cls: 'buttons' }, add), h('div', { cls: 'panel wide' }, h('table', { cls: 'stack' }, h('thead', {}, h('tr', {}, heads.map((x) => h('th', { scope: 'col' }, x)))),
    h('tbody', {}, people.map((u) => h('tr', {}, cell(0, h('strong', {}, u.name || u.id)), cell(1, u.id), cell(2, say(`role.${u.role}`)), cell(3, ownerName(u.owner)), cell(4, u.phone || '–'), cell(5, u.disabled ? say('people.is_disabled') : say('people.is_active')), cell(6, actions(u))))))));
}

[owners, areas] = await Promise.all([items('/api/v1/owners'), department ? items('/api/v1/areas') : []]);
await busy(at('content'), at('main'), load);
