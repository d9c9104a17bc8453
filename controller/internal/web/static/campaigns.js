// Campaigns of the department, and what companies have agreed to show of them.
import { fresh, get, items, put, read, remove, slug } from './api.js';
import { ask, at, busy, clearProblems, dialog, field, h, problems } from './dom.js';
import { admin, department, me } from './shell.js';
import { number, plainDate, say } from './words.js';

const writes = department && ['admin', 'author'].includes(me.role);
const agrees = admin; // for one's own owner
const hours = (x) => (x.from || x.until ? `${x.from || '00:00'}–${x.until || '24:00'}` : say('campaigns.all_day'));
const dates = (x) => [x.first ? plainDate(x.first) : '…', x.last ? plainDate(x.last) : '…'].join(' – ');

const number2 = (name, value, most) => h('input', { name, type: 'number', min: 1, max: most, required: true, value: value || '' });
const text = (name, value, more) => h('input', { name, value: value || '', autocomplete: 'off', ...more });

// edit shows a form in a dialog and puts what it makes; a conflict is said.
function edit(title, thing, build, save) {
  return dialog(title, (close) => {
    const { fields, make } = build(thing);
    const button = h('button', { cls: 'main' }, say('campaigns.save'));
    const form = h('form', {}, fields, problems(), h('div', { cls: 'buttons' }, button, h('button', { type: 'button', cls: 'quiet', onclick: () => close(null) }, say('c.cancel'))));
    form.addEventListener('submit', (e) => {
      e.preventDefault();
      busy(button, form, async () => {
        clearProblems(form);
        await save(make());
        close(true);
      });
    });
    return form;
  });
}

function clocks(x) {
  const from = text('from', x.from, { type: 'time' });
  const until = text('until', x.until, { type: 'time' });
  return { fields: h('div', { cls: 'form-grid' }, field(say('c.from'), from, { path: 'from', hint: say('c.from_hint') }), field(say('c.until'), until, { path: 'until', hint: say('c.until_hint') })), read: () => ({ from: from.value || undefined, until: until.value || undefined }) };
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
    const when = clocks(x);
    const places = areas.filter((a) => !a.replaced_by).map((a) => [a, h('input', { type: 'checkbox', checked: (x.areas || []).includes(a.code) })]);
    const says = messages.map((m) => [m, h('input', { type: 'checkbox', checked: (x.messages || []).includes(m.id) })]);
    return {
      fields: [field(say('campaigns.name'), name, { path: 'name' }), h('div', { cls: 'form-grid' }, field(say('campaigns.letter'), letter, { path: 'letter.number', hint: say('campaigns.letter_hint') }), field(say('campaigns.letter_date'), dated, { path: 'letter.date' }), field(say('campaigns.share'), share, { path: 'share_percent' }), field(say('campaigns.first'), first, { path: 'first' }), field(say('campaigns.last'), last, { path: 'last' })), when.fields,
        h('fieldset', {}, h('legend', {}, say('campaigns.messages')), h('div', { cls: 'days-choice' }, says.map(([m, b]) => h('label', { cls: 'check' }, b, (m.variants?.[0]?.headline || m.variants?.[0]?.body || m.id))))),
        h('fieldset', {}, h('legend', {}, say('campaigns.areas')), h('div', { cls: 'days-choice' }, places.map(([a, b]) => h('label', { cls: 'check' }, b, a.name))))],
      make: () => ({ ...x, id: x.id || fresh(slug(name.value, 'chien-dich'), all.map((y) => y.id)), name: name.value, letter: { ...x.letter, number: letter.value, date: dated.value }, share_percent: Number(share.value), first: first.value, last: last.value, ...when.read(), messages: says.filter(([, b]) => b.checked).map(([m]) => m.id), areas: places.filter(([, b]) => b.checked).map(([a]) => a.code) }),
    };
  }, (made) => put(`/api/v1/campaigns/${made.id}`, made, etag ? { etag } : { absent: true }));
  if (saved) await load();
}

async function editAgreement(a, all, etag) {
  const saved = await edit(say(a.id ? 'campaigns.agreement_change' : 'campaigns.agreement_add'), a, (x) => {
    const share = number2('share_percent', x.share_percent, 100);
    const first = text('first', x.first, { type: 'date' });
    const last = text('last', x.last, { type: 'date' });
    const when = clocks(x);
    return {
      fields: [h('p', { cls: 'hint' }, say('campaigns.agreement_hint')), field(say('campaigns.share_most'), share, { path: 'share_percent' }), h('div', { cls: 'form-grid' }, field(say('campaigns.first'), first, { path: 'first' }), field(say('campaigns.last'), last, { path: 'last' })), when.fields],
      make: () => ({ ...x, id: x.id || fresh('thoa-thuan', all.map((y) => y.id)), owner: me.owner, share_percent: Number(share.value), first: first.value || undefined, last: last.value || undefined, ...when.read() }),
    };
  }, (made) => put(`/api/v1/owners/${me.owner}/agreements/${made.id}`, made, etag ? { etag } : { absent: true }));
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
    if (!await ask(say('campaigns.delete'), say('campaigns.delete_ask'), say('campaigns.delete'))) return;
    await remove(path);
    await load();
  }));
}

const table = (heads, rows) => h('div', { cls: 'panel wide' }, h('table', { cls: 'stack' }, h('thead', {}, h('tr', {}, heads.map((x) => h('th', { scope: 'col' }, x)))), h('tbody', {}, rows.map((cells) => h('tr', {}, cells.map((c, i) => h('td', { data: { label: heads[i] } }, c)))))));

async function load() {
  const campaigns = await items('/api/v1/campaigns');
  const owners = (await get('/api/v1/owners')).items.filter((o) => department || o.id === me.owner);
  const agreements = (await Promise.all(owners.map(async (o) => (await items(`/api/v1/owners/${o.id}/agreements`)).map((a) => [o, a])))).flat();
  const mine = agreements.filter(([o]) => o.id === me.owner).map(([, a]) => a);
  const areas = new Map((await items('/api/v1/areas')).map((a) => [a.code, a.name]));
  const add = writes ? h('button', { type: 'button', cls: 'main' }, say('campaigns.add')) : null;
  add?.addEventListener('click', () => busy(add, at('main'), () => editCampaign({}, campaigns)));
  const agree = agrees ? h('button', { type: 'button', cls: 'main' }, say('campaigns.agreement_add')) : null;
  agree?.addEventListener('click', () => busy(agree, at('main'), () => editAgreement({}, mine)));
  const act = say('c.actions');
  at('content').replaceChildren(h('p', { cls: 'hint' }, say('campaigns.hint')), h('div', { cls: 'buttons' }, add),
    campaigns.length ? table([say('campaigns.name'), say('campaigns.letter'), say('campaigns.share'), say('campaigns.areas'), say('campaigns.dates'), say('c.hours'), ...(writes ? [act] : [])],
      campaigns.map((c) => [h('strong', {}, c.name || c.id), `${c.letter.number} (${plainDate(c.letter.date)})`, `${number(c.share_percent)} %`, (c.areas || []).map((x) => areas.get(x) || x).join(', ') || (c.signs || []).join(', '), dates(c), hours(c), ...(writes ? [actions(`/api/v1/campaigns/${c.id}`, (x, etag) => editCampaign(x, campaigns, etag))] : [])])) : h('p', { cls: 'hint' }, say('campaigns.none')),
    h('h2', {}, say('campaigns.agreements')), h('p', { cls: 'hint' }, say('campaigns.agreements_hint')), h('div', { cls: 'buttons' }, agree),
    agreements.length ? table([say('campaigns.company'), say('campaigns.share_most'), say('campaigns.signs'), say('campaigns.dates'), say('c.hours'), ...(agrees && mine.length ? [act] : [])],
      agreements.map(([o, a]) => [o.id === 'public' ? say('c.department') : o.name || o.id, `${number(a.share_percent)} %`, (a.signs || a.tags || []).join(', ') || say('campaigns.all_signs'), dates(a), hours(a), ...(agrees && mine.length ? [o.id === me.owner ? actions(`/api/v1/owners/${o.id}/agreements/${a.id}`, (x, etag) => editAgreement(x, mine, etag)) : '–'] : [])])) : h('p', { cls: 'hint' }, say('campaigns.no_agreements')));
}

await busy(at('content'), at('main'), load);
