// API tokens: for programs, with a secret that is shown once.
import { items, put, remove } from './api.js';
import { ask, at, busy, clearProblems, dialog, field, h, options, problems } from './dom.js';
import { department, me } from './shell.js';
import { dateOf, say, zoneName } from './words.js';

const zone = 'Asia/Ho_Chi_Minh';
const kinds = ['sign', 'message', 'playlist', 'media', 'schedule', 'campaign', 'agreement', 'area', 'owner', 'user', 'token', 'audit', 'alert', 'report'];
const roles = (owner) => (owner === 'public' ? ['admin', 'author', 'approver', 'viewer'] : ['admin', 'editor', 'viewer']);

async function make() {
  const made = await dialog(say('tokens.add'), (close) => {
    const id = h('input', { name: 'id', required: true, pattern: '[a-z0-9][a-z0-9\\-]{1,47}', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'none' });
    const role = options(h('select', { name: 'role' }), roles(me.owner).map((r) => [r, say(`role.${r}`)]), department ? 'viewer' : 'editor');
    const life = options(h('select', { name: 'life' }), [['30', say('tokens.days', { n: 30 })], ['90', say('tokens.days', { n: 90 })], ['365', say('tokens.days', { n: 365 })]], '90');
    const boxes = kinds.map((k) => [k, h('input', { type: 'checkbox' })]);
    const button = h('button', { cls: 'main' }, say('tokens.make'));
    const form = h('form', {}, field(say('tokens.id'), id, { path: 'id', hint: say('tokens.id_hint') }), field(say('tokens.role'), role, { path: 'role' }), field(say('tokens.life'), life, { path: 'expires' }),
      h('fieldset', {}, h('legend', {}, say('tokens.only')), h('p', { cls: 'hint' }, say('tokens.only_hint')), h('div', { cls: 'days-choice' }, boxes.map(([k, b]) => h('label', { cls: 'check' }, b, say(`kind.${k}`))))), problems(),
      h('div', { cls: 'buttons' }, button, h('button', { type: 'button', cls: 'quiet', onclick: () => close(null) }, say('c.cancel'))));
    form.addEventListener('submit', (e) => {
      e.preventDefault();
      busy(button, form, async () => {
        clearProblems(form);
        const only = boxes.filter(([, b]) => b.checked).map(([k]) => k);
        const body = { role: role.value, expires: Math.floor(Date.now() / 1000) + Number(life.value) * 86400 };
        if (only.length) body.only = only;
        const taken = (await items('/api/v1/tokens')).some((t) => t.id === id.value.trim());
        if (taken && !await ask(say('tokens.replace'), say('tokens.replace_ask', { name: id.value.trim() }), say('tokens.replace'))) return;
        close((await put(`/api/v1/tokens/${id.value.trim()}`, body)).data);
      });
    });
    return form;
  });
  if (!made) return;
  await dialog(say('tokens.secret'), (close) => [h('p', {}, say('tokens.secret_text')), h('p', { cls: 'code', id: 'secret' }, made.secret), h('div', { cls: 'buttons' }, h('button', { type: 'button', cls: 'main', onclick: () => close(null) }, say('tokens.kept')))]);
  await load();
}

async function load() {
  const [list, companies] = await Promise.all([items('/api/v1/tokens'), items('/api/v1/owners')]);
  const names = new Map(companies.map((o) => [o.id, o.name]));
  const heads = [say('tokens.id'), say('tokens.owner'), say('tokens.role'), say('tokens.only'), say('tokens.until'), say('c.actions')];
  const add = h('button', { type: 'button', cls: 'main' }, say('tokens.add'));
  add.addEventListener('click', () => busy(add, at('main'), make));
  const row = (t) => {
    const revoke = h('button', { type: 'button', cls: 'danger' }, say('tokens.revoke'));
    revoke.addEventListener('click', () => busy(revoke, at('main'), async () => {
      if (!await ask(say('tokens.revoke'), say('tokens.revoke_ask', { name: t.id }), say('tokens.revoke'))) return;
      await remove(`/api/v1/tokens/${t.id}`);
      await load();
    }));
    const cells = [h('strong', {}, t.id), t.owner === 'public' ? say('c.department') : names.get(t.owner) || t.owner, say(`role.${t.role}`), t.only ? t.only.map((k) => say(`kind.${k}`)).join(', ') : say('tokens.everything'), `${dateOf(t.expires * 1000, zone)}, ${zoneName(zone)}`, revoke];
    return h('tr', {}, cells.map((c, i) => h('td', { data: { label: heads[i] } }, c)));
  };
  at('content').replaceChildren(h('p', { cls: 'hint' }, say('tokens.hint')), h('div', { cls: 'buttons' }, add), h('div', { cls: 'panel wide' }, list.length ? h('table', { cls: 'stack' }, h('thead', {}, h('tr', {}, heads.map((x) => h('th', { scope: 'col' }, x)))), h('tbody', {}, list.map(row))) : h('p', { cls: 'hint' }, say('tokens.none'))));
}

await busy(at('content'), at('main'), load);
