// @ts-check
// The controller doubts its own clock: all of the department is told, on every
// page, for nothing new is issued meanwhile.
import { get } from './api.js';
import { at, h } from './dom.js';
import { both, say } from './words.js';

const every = 30_000;
const box = h('aside', { id: 'clock', 'aria-live': 'polite', 'aria-label': say('c.clock_title'), hidden: true });

async function look() {
  if (document.hidden) return;
  /** @type {import('./types').ClockState} */
  let state;
  try {
    state = await get('/api/v1/clock');
  } catch {
    return; // the page itself says that the controller does not answer
  }
  box.hidden = !state.in_doubt;
  box.replaceChildren(h('p', { cls: 'note glass' }, h('strong', {}, say('c.clock_title')), ' ', say('c.clock_text', { why: both(state.why) })));
}

export function watchClock() {
  at('main').before(box);
  document.addEventListener('visibilitychange', look);
  setInterval(look, every);
  look();
}
