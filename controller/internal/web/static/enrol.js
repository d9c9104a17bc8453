// @ts-check
// Letting a sign in, and keeping it out: its config file, a one-time code, and
// revoking.
import { post, remove, request } from './api.js';
import { ask, busy, dialog, h } from './dom.js';
import { say, moment } from './words.js';

export function enrolment(box, id, sign, done) {
  const path = `/api/v1/signs/${id}`;
  const file = h('button', { type: 'button' }, say('sign.config'));
  const code = h('button', { type: 'button', cls: 'main' }, say('sign.code'));
  const revoke = h('button', { type: 'button', cls: 'danger' }, say('sign.revoke'));
  const key = h('button', { type: 'button', cls: 'quiet' }, say('sign.key'));
  code.addEventListener('click', () => busy(code, box, async () => {
    const x = await post(`${path}/code`);
    await dialog(say('sign.code'), (close) => [h('p', { cls: 'big', id: 'code' }, x.code), h('p', {}, say('sign.code_text', { until: moment(x.expires_ms, sign.time_zone) })),
      h('p', { cls: 'code' }, `sign enrol --server ${location.origin} --code ${x.code} --out ${id}.json`),
      h('div', { cls: 'buttons' }, h('button', { type: 'button', cls: 'main', onclick: () => close(null) }, say('c.close')))]);
  }));
  file.addEventListener('click', () => busy(file, box, async () => {
    if (sign.state === 'online' && !await ask(say('sign.config'), say('sign.config_ask'), say('sign.config'), true)) return;
    const { data } = await request('POST', `${path}/credentials`, { body: {}, raw: true });
    const url = URL.createObjectURL(data);
    h('a', { href: url, download: `${id}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
    done(say('sign.config_done', { file: `${id}.json` }));
  }));
  revoke.addEventListener('click', () => busy(revoke, box, async () => {
    if (!await ask(say('sign.revoke'), say('sign.revoke_ask', { name: sign.name || id }), say('sign.revoke'))) return;
    const { status } = await remove(`${path}/credentials`);
    done(say(status === 202 ? 'sign.revoked_later' : 'sign.revoked'));
  }));
  key.addEventListener('click', () => busy(key, box, async () => {
    if (!await ask(say('sign.key'), say('sign.key_ask'), say('sign.key'))) return;
    await post(`${path}/key/confirm`);
    done(say('sign.key_done'));
  }));
  box.replaceChildren(h('p', { cls: 'hint' }, say('sign.enrol_hint')), h('div', { cls: 'buttons' }, code, file), h('div', { cls: 'buttons' }, revoke, key));
}
