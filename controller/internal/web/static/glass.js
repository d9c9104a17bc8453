// @ts-check
// Somebody of the department sent an urgent message alone: all of the department
// is told, on every page, while it runs and for minutes after.
import { at, h } from './dom.js';
import { moment, say } from './words.js';

const zone = 'Asia/Ho_Chi_Minh';
const broken = new Map();
const box = h('aside', { id: 'glass', 'aria-live': 'assertive', 'aria-label': say('c.glass_title'), hidden: true });

function draw() {
  box.hidden = broken.size === 0;
  box.replaceChildren(...[...broken.values()].map((a) => h('p', { cls: 'note glass' }, h('strong', {}, say('c.glass_title')), ' ',
    say(a.state === 'ended' ? 'c.glass_over' : 'c.glass_text', { name: (a.approved_by || a.created_by).replace(/^\w+:/, ''), areas: a.areas.join(', '), time: moment(a.approved_ms, zone), until: moment((a.state === 'ended' ? a.ended_ms : a.until * 1000), zone) }), ' ',
    h('a', { href: `/urgent?id=${encodeURIComponent(a.id)}` }, say('c.glass_see')))));
}

function hear(e) {
  const a = JSON.parse(e.data);
  if (!a.break_glass) return;
  broken.set(a.id, a);
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

export function watchGlass() {
  at('main').before(box);
  document.addEventListener('visibilitychange', listen);
  listen();
}
