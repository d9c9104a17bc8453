// @ts-check
// What all of the department is told at once, on every page: an urgent message
// that somebody sent alone, one that waits for an approval, and a cancel.
import { at, h } from './dom.js';
import { moment, say } from './words.js';

const zone = 'Asia/Ho_Chi_Minh';
const takeBack = 15 * 60 * 1000; // as long as a cancel can be taken back
/** @type {Map<string, import('./types').AlertView>} */
const alerts = new Map();
const box = h('aside', { id: 'notices', 'aria-live': 'assertive', 'aria-label': say('c.notices'), hidden: true });
/** @type {import('./types').Me} */
let me;

const person = (id) => (id || '').replace(/^\w+:/, '');
const words = (a) => a.text || a.template || a.message || a.id;

// notice is what is said of an alert now, or null.
function notice(a) {
  if (a.break_glass) {
    return ['glass', 'c.glass_title', say(a.state === 'ended' ? 'c.glass_over' : 'c.glass_text', {
      name: person(a.approved_by || a.created_by), areas: a.areas.join(', '), time: moment(a.approved_ms, zone),
      until: moment(a.state === 'ended' ? a.ended_ms : a.until * 1000, zone) })];
  }
  if (a.state === 'pending' && me.role === 'approver' && a.created_by !== me.id) {
    return ['waits', 'c.waits_title', say('c.waits_text', { name: person(a.created_by), text: words(a) })];
  }
  if (a.state === 'ended' && a.why === 'cancelled' && a.approved_ms && a.mode !== 'drill'
      && ['approver', 'admin'].includes(me.role) && Date.now() - a.ended_ms < takeBack) {
    return ['waits', 'c.cancel_title', say('c.cancel_text',
      { name: person(a.ended_by), text: words(a), time: moment(a.ended_ms, zone) })];
  }
  return null;
}

function draw() {
  const notes = [];
  for (const a of alerts.values()) {
    const said = notice(a);
    if (!said) continue;
    const [cls, title, text] = said;
    notes.push(h('p', { cls: `note ${cls}` }, h('strong', {}, say(title)), ' ', text, ' ',
      h('a', { href: `/urgent?id=${encodeURIComponent(a.id)}` }, say('c.glass_see'))));
  }
  box.hidden = notes.length === 0;
  box.replaceChildren(...notes);
}

function hear(e) {
  const a = JSON.parse(e.data);
  alerts.set(a.id, a);
  draw();
}

// listen keeps a stream open while the page is looked at: a browser opens six
// connections to one controller, and people have many pages open.
let stream = null;
function listen() {
  if (document.hidden) {
    stream?.close();
    stream = null;
  } else if (!stream) {
    stream = new EventSource('/api/v1/events?only=alerts');
    stream.addEventListener('break-glass', hear);
    stream.addEventListener('alert', hear);
  }
}

/** @param {import('./types').Me} who */
export function watchNotices(who) {
  me = who;
  at('main').before(box);
  document.addEventListener('visibilitychange', listen);
  setInterval(draw, 60000); // a cancel can be taken back no more
  listen();
}
