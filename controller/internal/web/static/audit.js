// The log, newest first: who changed what, from where, and what it was before.
import { get, items } from './api.js';
import { at, busy, h } from './dom.js';
import { diff, diffTable } from './diff.js';
import { department } from './shell.js';
import { has, moment, number, say } from './words.js';

const page = 50;
const zone = 'Asia/Ho_Chi_Minh';
const body = h('tbody');
const more = h('button', { type: 'button' }, say('audit.older'));
let below = 0; // entries with this number or higher are on the page

// newest finds the last entry's number: the API lists forwards, so it is
// searched for by doubling and halving, with one entry an answer.
async function newest() {
  const beyond = async (n) => (await items(`/api/v1/audit?after=${n}&limit=1`))[0];
  let low = 0;
  let x = await beyond(0);
  if (!x) return 0;
  let high = 1;
  while (x) {
    low = x.n;
    high = low * 2;
    x = await beyond(high);
  }
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    x = await beyond(middle);
    if (x) low = x.n;
    else high = middle;
  }
  return low;
}

function row(e) {
  const label = (key) => ({ label: say(key) });
  const changes = diff(e.before, e.after);
  const kind = has(`kind.${e.kind}`) ? say(`kind.${e.kind}`) : e.kind;
  return h('tr', {}, h('td', { data: label('audit.n') }, String(e.n)), h('td', { data: label('audit.when') }, moment(e.at_ms, zone)),
    h('td', { data: label('audit.who') }, e.who.replace(/^user:/, ''), e.from ? h('div', { cls: 'hint' }, e.from) : null), h('td', { data: label('audit.what') }, `${say(`audit.did_${e.action}`)}: ${kind} `, h('strong', {}, e.id), e.owner ? h('div', { cls: 'hint' }, e.owner === 'public' ? say('c.department') : e.owner) : null),
    h('td', { data: label('audit.change') }, changes.length ? h('details', {}, h('summary', {}, say('audit.fields', { n: changes.length })), diffTable(changes, say('audit.before'), say('audit.after'))) : '–'));
}

// older adds a page of entries before those that are shown. Numbers of others'
// entries are not listed, so the step back grows until the page is full.
async function older() {
  const found = [];
  let step = page;
  let end = below;
  while (end > 1 && found.length < page) {
    const from = Math.max(0, end - 1 - step);
    const list = (await items(`/api/v1/audit?after=${from}&limit=${Math.min(500, end - 1 - from)}`)).filter((e) => e.n < end);
    found.unshift(...list);
    end = from + 1;
    step = Math.min(500, step * 2);
  }
  below = end;
  body.append(...found.reverse().map(row));
  more.hidden = below <= 1;
}

async function start() {
  const heads = [say('audit.n'), say('audit.when'), say('audit.who'), say('audit.what'), say('audit.change')];
  const verdict = h('p', { role: 'status' });
  const verify = h('button', { type: 'button', cls: 'main' }, say('audit.verify'));
  verify.addEventListener('click', () => busy(verify, at('main'), async () => {
    const v = await get('/api/v1/audit/verify');
    verdict.className = 'ok';
    verdict.textContent = say('audit.whole', { n: number(v.entries) });
  }));
  more.addEventListener('click', () => busy(more, at('main'), older));
  at('content').replaceChildren(h('p', { cls: 'hint' }, say('audit.hint')), department ? h('div', { cls: 'buttons' }, verify) : '', verdict,
    h('div', { cls: 'panel wide' }, h('table', { cls: 'stack' }, h('thead', {}, h('tr', {}, heads.map((x) => h('th', { scope: 'col' }, x)))), body)), more);
  below = await newest() + 1;
  if (below === 1) body.append(h('tr', {}, h('td', { colspan: 5 }, say('audit.none'))));
  await older();
}

await busy(at('content'), at('main'), start);
