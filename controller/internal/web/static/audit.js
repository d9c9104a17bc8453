// @ts-check
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
let names = new Map(); // of companies that one may know
let below = Number.MAX_SAFE_INTEGER; // entries with this number or higher are on the page

const owner = (id) => (id === 'public' ? say('c.department') : names.get(id) || id);

// who is a person's login name; a program's and the console's are told as such.
function who(id) {
  const [kind, name] = id.split(/:(.*)/s);
  if (kind === 'user') return name;
  return kind === 'token' ? say('audit.by_token', { name }) : ['console', 'controller'].includes(id) ? say(`audit.by_${id}`) : id;
}

// change is what was different; a company's content is not told the department.
function change(e) {
  if (e.withheld) return h('span', { cls: 'hint' }, say('audit.withheld'));
  const changes = diff(e.before, e.after);
  return changes.length ? h('details', {}, h('summary', {}, say('audit.fields', { n: changes.length })), diffTable(changes, say('audit.before'), say('audit.after'))) : '–';
}

function row(e) {
  const label = (key) => ({ label: say(key) });
  const kind = has(`kind.${e.kind}`) ? say(`kind.${e.kind}`) : e.kind;
  return h('tr', {}, h('td', { data: label('audit.n') }, String(e.n)), h('td', { data: label('audit.when') }, moment(e.at_ms, zone)),
    h('td', { data: label('audit.who') }, who(e.who), e.from ? h('div', { cls: 'hint' }, e.from) : null), h('td', { data: label('audit.what') }, `${has(`audit.did_${e.action}`) ? say(`audit.did_${e.action}`) : e.action}: ${kind} `, h('strong', {}, e.id), e.owner ? h('div', { cls: 'hint' }, owner(e.owner)) : null),
    h('td', { data: label('audit.change') }, change(e)));
}

// older adds a page of entries before those that are shown.
async function older() {
  const list = await items(`/api/v1/audit?before=${below}&limit=${page}`);
  if (list.length) below = list.at(-1).n;
  body.append(...list.map(row));
  more.hidden = list.length < page;
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
  names = new Map((await items('/api/v1/owners')).map((o) => [o.id, o.name || o.id]));
  await older();
  if (!body.rows.length) body.append(h('tr', {}, h('td', { colspan: 5 }, say('audit.none'))));
}

await busy(at('content'), at('main'), start);
