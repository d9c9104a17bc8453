// @ts-check
// Signing in: by name and password, or by a link that works once and then asks
// for a password. The link's code is sent only when its button is pressed, so
// that a programme that looks at links does not use it up.
import { request } from './api.js';
import { at } from './dom.js';
import { say } from './words.js';

const said = at('said');
const forms = { signin: at('signin'), link: at('link'), set: at('set') };
const query = new URLSearchParams(location.search);
const code = query.get('code');

// next is where to go afterwards: a path of ours, nothing else.
const wanted = new URL(query.get('next') || '/', location.origin);
const next = wanted.origin === location.origin ? wanted.pathname + wanted.search : '/';

function show(name) {
  for (const [k, f] of Object.entries(forms)) f.hidden = k !== name;
  forms[name].querySelector('input:not([hidden]), button').focus();
}

function complain(problem, otherwise) {
  said.textContent = { 0: say('c.no_answer'), 429: say('signin.busy') }[problem.status] ?? otherwise;
}

async function enter(user, password) {
  await request('POST', '/api/v1/session', { body: { user, password } });
  location.assign(next);
}

forms.signin.addEventListener('submit', async (e) => {
  e.preventDefault();
  const f = new FormData(forms.signin);
  try {
    await enter(f.get('user'), f.get('password'));
  } catch (p) {
    complain(p, say('signin.wrong'));
  }
});

forms.link.addEventListener('submit', async (e) => {
  e.preventDefault();
  try {
    const me = (await request('POST', '/api/v1/session/code', { body: { code } })).data;
    forms.set.elements.user.value = me.id.replace('user:', '');
    history.replaceState(null, '', '/signin');
    said.textContent = '';
    show('set');
  } catch (p) {
    complain(p, say('signin.link_used'));
    show('signin');
  }
});

forms.set.addEventListener('submit', async (e) => {
  e.preventDefault();
  const f = new FormData(forms.set);
  try {
    await request('PUT', '/api/v1/me/password', { body: { password: f.get('password') } });
  } catch (p) {
    complain(p, say('password.bad'));
    return;
  }
  try { // A new password ends every session; this one begins again with it.
    await enter(f.get('user'), f.get('password'));
  } catch {
    said.textContent = say('signin.password_set');
    show('signin');
  }
});

show(code ? 'link' : 'signin');
