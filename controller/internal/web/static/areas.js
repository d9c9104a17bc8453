// @ts-check
// Areas: what signs lie in and messages are sent to. They are the department's;
// everybody may read them.
import { get, items, Problem, read, remove, slug } from './api.js';
import { areaText, covers, depth, inOrder } from './areanames.js';
import { ask, at, badge, busy, clearProblems, dialog, field, h, options, problems } from './dom.js';
import { save } from './conflict.js';
import { admin, department } from './shell.js';
import { number, say } from './words.js';

const content = at('content');
const writes = department && admin;
const asked = new URLSearchParams(location.search).get('code');
const path = (code) => `/api/v1/areas/${code}`;
let areas = [];
let signs = [];
const filter = h('input', { type: 'search', autocomplete: 'off' });
const table = h('div', { cls: 'panel wide' });
const said = h('p', { cls: 'ok', role: 'status', hidden: true });

const signsIn = (code) => signs.filter((s) => s.areas.some((x) => covers(code, x))).length;
const fold = (text) => text.toLowerCase().replaceAll('đ', 'd').normalize('NFD').replace(/[\u0300-\u036f]/g, '');

function done(key, name) {
  said.textContent = say(key, { name });
  said.hidden = false;
}

// edit is the form of an area; without one, of a new one.
async function edit(area) {
  const found = area ? await read(path(area.code)) : { data: {}, etag: '' };
  const a = found.data;
  const saved = await dialog(area ? say('areas.edit', { name: a.name }) : say('areas.add'), (close) => {
    const others = inOrder(areas.filter((x) => x.code !== a.code));
    const indented = (x) => [x.code, `${'\u2003'.repeat(depth(x.code))}${x.name}${x.replaced_by ? ` (${say('areas.is_replaced')})` : ''}`];
    const name = h('input', { name: 'name', required: true, maxlength: 200, autocomplete: 'off', value: a.name || '' });
    const above = options(h('select', { name: 'above' }), [['', say('areas.above_none')], ...others.filter((x) => !x.replaced_by).map(indented)], (others.find((x) => !x.replaced_by && depth(x.code) === 0) || { code: '' }).code);
    const last = h('input', { name: 'code', required: true, pattern: '[a-z0-9]([a-z0-9\\-]*[a-z0-9])?', maxlength: 48, autocomplete: 'off', spellcheck: 'false', autocapitalize: 'none' });
    const codes = h('input', { name: 'geocodes', autocomplete: 'off', spellcheck: 'false', value: (a.geocodes || []).join(', ') });
    const by = options(h('select', { name: 'replaced_by' }), [['', say('areas.by_none')], ...others.map(indented)], a.replaced_by || '');
    let own = false; // the code was typed, and no longer follows the name
    last.addEventListener('input', () => { own = last.value !== ''; });
    name.addEventListener('input', () => { if (!own) last.value = slug(name.value, ''); });
    const button = h('button', { cls: 'main' }, say('areas.save'));
    const form = h('form', {}, field(say('areas.name'), name, { path: 'name', hint: say('areas.name_hint') }),
      area ? h('p', {}, say('areas.code'), ': ', h('span', { cls: 'code' }, a.code)) : h('div', { cls: 'form-grid' }, field(say('areas.above'), above, { path: 'above' }), field(say('areas.code_last'), last, { path: 'code', hint: say('areas.code_hint') })),
      field(say('areas.geocodes'), codes, { path: 'geocodes', hint: say('areas.geocodes_hint') }), area ? field(say('areas.by'), by, { path: 'replaced_by', hint: say('areas.by_hint') }) : null, problems(),
      h('div', { cls: 'buttons' }, button, h('button', { type: 'button', cls: 'quiet', onclick: () => close(null) }, say('c.cancel'))));
    form.addEventListener('submit', (e) => {
      e.preventDefault();
      busy(button, form, async () => {
        clearProblems(form);
        const body = { ...a, code: area ? a.code : [above.value, last.value].filter(Boolean).join('/'), name: name.value.trim() };
        body.geocodes = codes.value.split(/[,;\s]+/).filter(Boolean);
        if (!body.geocodes.length) delete body.geocodes;
        if (by.value && area) body.replaced_by = by.value;
        else delete body.replaced_by;
        if (!area && areas.some((x) => x.code === body.code)) throw new Problem(422, { field: 'code', value: body.code, title: say('areas.taken') });
        const answer = await save(path(body.code), body, found.etag);
        if (answer) close(answer.theirs || answer.data);
      });
    });
    return form;
  });
  if (!saved) return;
  await load();
  done('areas.saved', saved.name);
}

function row(a) {
  const n = signsIn(a.code);
  const heads = ['areas.name', 'areas.code', 'areas.signs', 'areas.geocodes', 'areas.state', 'c.actions'].map((k) => say(k));
  const change = h('button', { type: 'button', 'aria-label': say('areas.edit', { name: a.name }) }, say('areas.change'));
  const drop = h('button', { type: 'button', cls: 'danger', 'aria-label': say('areas.remove_of', { name: a.name }) }, say('areas.remove'));
  change.addEventListener('click', () => busy(change, at('main'), () => edit(a)));
  drop.addEventListener('click', () => busy(drop, at('main'), async () => {
    const { etag } = await read(path(a.code));
    if (!await ask(say('areas.remove_of', { name: a.name }), say('areas.remove_ask', { name: a.name }), say('areas.remove'))) return;
    await remove(path(a.code), { etag });
    await load();
    done('areas.removed', a.name);
  }));
  const state = a.replaced_by ? [badge(say('areas.is_replaced'), '↪', 'warn'), ' ', say('areas.use'), ' ', h('a', { href: `/areas?code=${encodeURIComponent(a.replaced_by)}` }, (areas.find((x) => x.code === a.replaced_by) || { name: a.replaced_by }).name)] : badge(say('areas.is_valid'), '●', 'good');
  const cells = [h('strong', { cls: 'nested', css: { '--depth': depth(a.code) } }, a.name), h('span', { cls: 'code' }, a.code), n && !a.replaced_by ? h('a', { href: `/?area=${encodeURIComponent(a.code)}`, 'aria-label': say('areas.signs_of', { n, name: a.name }) }, number(n)) : number(n),
    [(a.geocodes || []).join(', ') || '–', a.outline ? h('div', { cls: 'hint' }, say('areas.outline')) : null], state, h('div', { cls: 'buttons' }, change, drop)];
  return h('tr', { cls: a.code === asked ? 'chosen' : null }, cells.slice(0, writes ? 6 : 5).map((c, i) => h('td', { cls: i === 2 ? 'n' : null, data: { label: heads[i] } }, c)));
}

function draw() {
  const words = fold(filter.value).split(/\s+/).filter(Boolean);
  const some = inOrder(areas).filter((a) => words.every((w) => fold(`${a.name} ${a.code} ${(a.geocodes || []).join(' ')}`).includes(w)));
  const heads = ['areas.name', 'areas.code', 'areas.signs', 'areas.geocodes', 'areas.state', 'c.actions'].slice(0, writes ? 6 : 5);
  table.replaceChildren(some.length ? h('table', { cls: 'stack' }, h('thead', {}, h('tr', {}, heads.map((k, i) => h('th', { scope: 'col', cls: i === 2 ? 'n' : null }, say(k))))), h('tbody', {}, some.map(row))) : h('p', { cls: 'hint' }, say(areas.length ? 'areas.none_fits' : 'areas.none')));
}

// tell says what is to be said of the area that the address names.
function tell() {
  const told = at('told');
  const a = areas.find((x) => x.code === asked);
  told.hidden = !asked || (a && !a.replaced_by);
  if (!told.hidden) told.textContent = areaText(areas, asked);
  table.querySelector('tr.chosen')?.scrollIntoView({ block: 'center' });
}

async function load() {
  const [list, wall] = await Promise.all([items('/api/v1/areas'), get('/api/v1/signs')]);
  areas = list;
  signs = wall.signs;
  draw();
}

filter.addEventListener('input', draw);
const add = h('button', { type: 'button', cls: 'main' }, say('areas.add'));
add.addEventListener('click', () => busy(add, at('main'), () => edit(null)));
content.replaceChildren(h('p', { cls: 'hint' }, say('areas.hint')), said, h('div', { cls: 'filters' }, h('label', {}, say('areas.find'), filter), writes ? h('div', { cls: 'views' }, add) : ''), table);
await busy(table, at('main'), load);
tell();
