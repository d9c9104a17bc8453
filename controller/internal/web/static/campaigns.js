// Campaigns of the department, and what companies have agreed to show of them.
import { fresh, get, items, read, remove, slug } from './api.js';
import { areaText } from './areanames.js';
import { save } from './conflict.js';
import { ask, at, busy, clearProblems, dialog, field, h, problems } from './dom.js';
import { dates, dayName, hours } from './hours.js';
import { admin, department, me } from './shell.js';
import { signChoice } from './signchoice.js';
import { number, plainDate, say } from './words.js';

const writes = department && ['admin', 'author'].includes(me.role);
const agrees = admin; // for one's own owner
const when = (x) => [(x.days || []).map(dayName).join(', '), x.from || x.until ? `${x.from || '00:00'}–${x.until || '24:00'}` : say('campaigns.all_day'), (x.except || []).length ? say('c.but', { list: x.except.map(plainDate).join(', ') }) : ''].filter(Boolean).join('; ');
const between = (x) => [x.first ? plainDate(x.first) : '…', x.last ? plainDate(x.last) : '…'].join(' – ');

let signs = [];
const signName = (id) => (signs.find((s) => s.id === id) || {}).name || id;

const number2 = (name, value, most) => h('input', { name, type: 'number', min: 1, max: most, required: true, value: value || '' });
const text = (name, value, more) => h('input', { name, value: value || '', autocomplete: 'off', ...more });

// boxes is a choice of some; what is wrong with it stands below.
const boxes = (name, list) => h('fieldset', { cls: 'field', data: { path: name } }, h('legend', {}, say(`campaigns.${name}`)), h('div', { cls: 'days-choice' }, list.map(([box, label]) => h('label', { cls: 'check' }, box, label))), h('p', { cls: 'problem', hidden: true }));

// edit shows a form in a dialog and saves what it makes at a path.
function edit(title, thing, build, pathOf, etag) {
  return dialog(title, (close) => {
    const { fields, make } = build(thing);
    const button = h('button', { cls: 'main' }, say('campaigns.save'));
    const form = h('form', {}, fields, problems(), h('div', { cls: 'buttons' }, button, h('button', { type: 'button', cls: 'quiet', onclick: () => close(null) }, say('c.cancel'))));
    form.addEventListener('submit', (e) => {
      e.preventDefault();
      busy(button, form, async () => {
        clearProblems(form);
        const made = make();
        if (await save(pathOf(made), made, etag)) close(true);
      });
    });
    return form;
  });
}

// others are what the form sets anew, or leaves out, taken away.
function others({ days: _d, from: _f, until: _u, except: _e, signs: _s, tags: _t, ...rest }) {
  return rest;
}

async function editCampaign(c, all, etag) {
  const [areas, messages] = await Promise.all([items('/api/v1/areas'), items('/api/v1/owners/public/messages')]);
  const saved = await edit(say(c.id ? 'campaigns.change' : 'campaigns.add'), c, (x) => {
    const name = text('name', x.name, { required: true });
    const letter = text('letter', x.letter?.number, { required: true });
    const dated = text('date', x.letter?.date, { type: 'date', required: true });
    const share = number2('share_percent', x.share_percent, 100);
    const first = text('first', x.first, { type: 'date', required: true });
    const last = text('last', x.last, { type: 'date', required: true });
    const week = hours(x);
    const except = dates(say('c.except'), x.except);
    const places = areas.filter((a) => !a.replaced_by || (x.areas || []).includes(a.code)).map((a) => [a, h('input', { type: 'checkbox', checked: (x.areas || []).includes(a.code) })]);
    const says = messages.map((m) => [m, h('input', { type: 'checkbox', checked: (x.messages || []).includes(m.id) })]);
    return {
      fields: [field(say('campaigns.name'), name, { path: 'name' }), h('div', { cls: 'form-grid' }, field(say('campaigns.letter'), letter, { path: 'letter.number', hint: say('campaigns.letter_hint') }), field(say('campaigns.letter_date'), dated, { path: 'letter.date' }), field(say('campaigns.share'), share, { path: 'share_percent' }), field(say('campaigns.first'), first, { path: 'first' }), field(say('campaigns.last'), last, { path: 'last' })), week.element, except.element,
        boxes('messages', says.map(([m, b]) => [b, m.variants?.[0]?.headline || m.variants?.[0]?.body || m.id])), boxes('areas', places.map(([a, b]) => [b, areaText(areas, a.code)]))],
      make: () => ({ ...others(x), ...(x.signs ? { signs: x.signs } : {}), id: x.id || fresh(slug(name.value, 'chien-dich'), all.map((y) => y.id)), name: name.value, letter: { ...x.letter, number: letter.value, date: dated.value }, share_percent: Number(share.value), first: first.value, last: last.value, ...week.value(), ...(except.value().length ? { except: except.value() } : {}), messages: says.filter(([, b]) => b.checked).map(([m]) => m.id), areas: places.filter(([, b]) => b.checked).map(([a]) => a.code) }),
    };
  }, (made) => `/api/v1/campaigns/${made.id}`, etag);
  if (saved) await load();
}

async function editAgreement(a, all, etag) {
  const saved = await edit(say(a.id ? 'campaigns.agreement_change' : 'campaigns.agreement_add'), a, (x) => {
    const share = number2('share_percent', x.share_percent, 100);
    const first = text('first', x.first, { type: 'date' });
    const last = text('last', x.last, { type: 'date' });
    const week = hours(x);
    const where = signChoice(signs.filter((s) => s.owner === me.owner), x);
    return {
      fields: [h('p', { cls: 'hint' }, say('campaigns.agreement_hint')), field(say('campaigns.share_most'), share, { path: 'share_percent' }), h('div', { cls: 'form-grid' }, field(say('campaigns.first'), first, { path: 'first' }), field(say('campaigns.last'), last, { path: 'last' })), week.element, where.element],
      make: () => ({ ...others(x), ...where.value(), id: x.id || fresh('thoa-thuan', all.map((y) => y.id)), owner: me.owner, share_percent: Number(share.value), first: first.value || undefined, last: last.value || undefined, ...week.value() }),
    };
  }, (made) => `/api/v1/owners/${me.owner}/agreements/${made.id}`, etag);
  if (saved) await load();
}

// actions of a row that one may change.
function actions(path, change) {
  const button = (word, cls, work) => {
    const b = h('button', { type: 'button', cls }, say(word));
    b.addEventListener('click', () => busy(b, at('main'), work));
    return b;
  };
  return h('div', { cls: 'buttons' }, button('campaigns.edit', 'quiet', async () => {
    const now = await read(path);
    await change(now.data, now.etag);
  }), button('campaigns.delete', 'danger', async () => {
    const before = await read(path);
    if (!await ask(say('campaigns.delete'), say('campaigns.delete_ask'), say('campaigns.delete'))) return;
    await remove(path, { etag: before.etag });
    await load();
  }));
}

const table = (heads, rows) => h('div', { cls: 'panel wide' }, h('table', { cls: 'stack' }, h('thead', {}, h('tr', {}, heads.map((x) => h('th', { scope: 'col' }, x)))), h('tbody', {}, rows.map((cells) => h('tr', {}, cells.map((c, i) => h('td', { data: { label: heads[i] } }, c)))))));

async function load() {
  const campaigns = await items('/api/v1/campaigns');
  const owners = (await get('/api/v1/owners')).items.filter((o) => department || o.id === me.owner);
  const agreements = (await Promise.all(owners.map(async (o) => (await items(`/api/v1/owners/${o.id}/agreements`)).map((a) => [o, a])))).flat();
  const mine = agreements.filter(([o]) => o.id === me.owner).map(([, a]) => a);
  const [areas, wall] = await Promise.all([items('/api/v1/areas'), get('/api/v1/signs')]);
  signs = wall.signs;
  const add = writes ? h('button', { type: 'button', cls: 'main' }, say('campaigns.add')) : null;
  add?.addEventListener('click', () => busy(add, at('main'), () => editCampaign({}, campaigns)));
  const agree = agrees ? h('button', { type: 'button', cls: 'main' }, say('campaigns.agreement_add')) : null;
  agree?.addEventListener('click', () => busy(agree, at('main'), () => editAgreement({}, mine)));
  const act = say('c.actions');
  at('content').replaceChildren(h('p', { cls: 'hint' }, say('campaigns.hint')), h('div', { cls: 'buttons' }, add),
    campaigns.length ? table([say('campaigns.name'), say('campaigns.letter'), say('campaigns.share'), say('campaigns.areas'), say('campaigns.dates'), say('c.hours'), ...(writes ? [act] : [])],
      campaigns.map((c) => [h('strong', {}, c.name || c.id), `${c.letter.number} (${plainDate(c.letter.date)})`, `${number(c.share_percent)} %`, [...(c.areas || []).map((x) => areaText(areas, x)), ...(c.signs || []).map(signName)].join(', '), between(c), when(c), ...(writes ? [actions(`/api/v1/campaigns/${c.id}`, (x, etag) => editCampaign(x, campaigns, etag))] : [])])) : h('p', { cls: 'hint' }, say('campaigns.none')),
    h('h2', {}, say('campaigns.agreements')), h('p', { cls: 'hint' }, say('campaigns.agreements_hint')), h('div', { cls: 'buttons' }, agree),
    agreements.length ? table([say('campaigns.company'), say('campaigns.share_most'), say('campaigns.signs'), say('campaigns.dates'), say('c.hours'), ...(agrees && mine.length ? [act] : [])],
      agreements.map(([o, a]) => [o.id === 'public' ? say('c.department') : o.name || o.id, `${number(a.share_percent)} %`, [...(a.signs || []).map(signName), ...(a.tags || []).map((t) => `#${t}`)].join(', ') || say('campaigns.all_signs'), between(a), when(a), ...(agrees && mine.length ? [o.id === me.owner ? actions(`/api/v1/owners/${o.id}/agreements/${a.id}`, (x, etag) => editAgreement(x, mine, etag)) : '–'] : [])])) : h('p', { cls: 'hint' }, say('campaigns.no_agreements')));
}

await busy(at('content'), at('main'), load);
