// @ts-check
// What every page has around it: who is signed in, where they may go, and the
// way out. A page's module awaits me before it does anything else.
import { get, remove } from './api.js';
import { watchClock } from './clock.js';
import { at, h, busy } from './dom.js';
import { watchNotices } from './notices.js';
import { say } from './words.js';

/** @type {import('./types').Me} */
export const me = await get('/api/v1/me');

export const guest = me.id === 'guest';
export const department = me.owner === 'public';
export const admin = me.role === 'admin';
// writes reports whether one may change content of one's own owner.
export const writes = ['admin', 'editor', 'author'].includes(me.role);

/** @type {NodeListOf<HTMLAnchorElement>} */
const links = document.querySelectorAll('#menu a');
for (const a of links) {
  const roles = (department ? a.dataset.department : a.dataset.company).split(' ');
  a.hidden = !roles.includes(me.role) || (guest && a.getAttribute('href') !== '/');
}

const who = at('who');
who.classList.toggle('inside', !guest);
if (guest) {
  who.append(h('a', { href: `/signin?next=${encodeURIComponent(location.pathname + location.search)}` }, say('nav.signin')));
} else {
  const out = h('button', { type: 'button', cls: 'quiet' }, say('nav.signout'));
  out.addEventListener('click', () => busy(out, at('main'), async () => {
    await remove('/api/v1/session');
    location.assign('/signin');
  }));
  who.append(h('a', { href: '/account', 'aria-current': document.body.dataset.page === 'account' ? 'page' : null }, me.name || me.id.replace(/^user:/, '')), out);
}

if (department && !guest) {
  watchNotices(me);
  watchClock();
}

const button = at('menu-button');
button.addEventListener('click', () => {
  const open = button.getAttribute('aria-expanded') !== 'true';
  button.setAttribute('aria-expanded', String(open));
  at('menu').classList.toggle('open', open);
});
document.addEventListener('keydown', (e) => {
  if (e.key === 'Escape' && button.getAttribute('aria-expanded') === 'true') {
    button.click();
    button.focus();
  }
});

// owners are whose content one may work on: one's own first. Everybody may look
// at the department's, and use it.
export async function owners() {
  const list = (await get('/api/v1/owners')).items;
  const own = list.find((o) => o.id === me.owner) || { id: me.owner, name: say('c.department') };
  return department ? [own] : [own, { id: 'public', name: say('c.department') }];
}

// A file that is let go beside its place must not take the page away, and what
// was typed with it.
for (const event of /** @type {('dragover' | 'drop')[]} */ (['dragover', 'drop'])) {
  addEventListener(event, (e) => {
    if (e.dataTransfer && e.dataTransfer.types.includes('Files')) e.preventDefault();
  });
}
