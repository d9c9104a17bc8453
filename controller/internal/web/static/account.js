// @ts-check
// One's own account: who one is here, the password, and signing out everywhere.
import { items, remove, request } from './api.js';
import { areaText } from './areanames.js';
import { ask, at, busy, clearProblems, field, h, problems } from './dom.js';
import { department, guest, me, owners } from './shell.js';
import { say } from './words.js';

const user = me.id.replace(/^user:/, '');
const name = h('input', { name: 'user', autocomplete: 'username', hidden: true, value: user });
const password = h('input', { name: 'password', type: 'password', autocomplete: 'new-password', minlength: 12, maxlength: 128, required: true });
const set = h('button', { cls: 'main' }, say('password.set'));
const form = h('form', {}, name, field(say('password.new'), password, { path: 'password', hint: say('password.hint') }), problems(), set);
form.addEventListener('submit', (e) => {
  e.preventDefault();
  busy(set, form, async () => {
    clearProblems(form);
    await request('PUT', '/api/v1/me/password', { body: { password: password.value } });
    // A new password ends every session; this one begins again with it.
    await request('POST', '/api/v1/session', { body: { user, password: password.value } });
    password.value = '';
    form.append(h('p', { cls: 'ok', role: 'status' }, say('account.password_done')));
  });
});
const out = h('button', { type: 'button', cls: 'danger' }, say('account.out'));
out.addEventListener('click', () => busy(out, at('main'), async () => {
  if (!await ask(say('account.out'), say('account.out_ask'), say('account.out'))) return;
  await remove(`/api/v1/users/${user}/sessions`);
  location.assign('/signin');
}));

const pair = (key, value) => [h('dt', {}, say(key)), h('dd', {}, value)];
at('content').append(h('div', { cls: 'panel' }, h('dl', { cls: 'pairs' }, pair('account.name', me.name || user), pair('account.user', user), pair('account.owner', department ? say('c.department') : (await owners())[0].name || me.owner), pair('account.role', say(`role.${me.role}`)),
  me.areas ? pair('account.areas', await items('/api/v1/areas').then((all) => me.areas.map((x) => areaText(all, x)).join(', '))) : [])));
if (!guest) at('content').append(h('div', { cls: 'columns' }, h('div', { cls: 'panel' }, h('h2', {}, say('account.password')), form), h('div', { cls: 'panel' }, h('h2', {}, say('account.sessions')), h('p', {}, say('account.sessions_text')), out)));
