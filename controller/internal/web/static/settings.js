// The department's settings: templates of urgent messages, the weekly drill,
// alerts from outside, webhooks. Each is read by all of the department, and
// changed by whom the API lets.
import { get, items, post, put, remove, slug } from './api.js';
import { announce, ask, at, busy, clearProblems, dialog, field, h, options, problems } from './dom.js';
import { Preview } from './preview.js';
import { admin, department, me } from './shell.js';
import { ago, both, moment, number, say } from './words.js';

const zone = 'Asia/Ho_Chi_Minh';
const authors = ['admin', 'author'].includes(me.role);
const approves = me.role === 'approver';
const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const events = ['pending', 'started', 'missed', 'cancelled', 'ended', 'break-glass'];
const lines = (s) => s.split('\n').map((x) => x.trim()).filter(Boolean);

const input = (name, value, more) => h('input', { name, value: value || '', autocomplete: 'off', ...more });
const area = (name, value, more) => h('textarea', { name, value: value || '', ...more });

function button(word, cls, work) {
  const b = h('button', { type: 'button', cls }, say(word));
  b.addEventListener('click', () => busy(b, at('main'), work));
  return b;
}

// form saves what make answers, and says what is the matter beside its field.
function form(fields, save, close) {
  const send = h('button', { cls: 'main' }, say('settings.save'));
  const f = h('form', {}, fields, problems(), h('div', { cls: 'buttons' }, send, close ? h('button', { type: 'button', cls: 'quiet', onclick: () => close(null) }, say('c.cancel')) : null));
  f.addEventListener('submit', (e) => {
    e.preventDefault();
    busy(send, f, async () => {
      clearProblems(f);
      await save();
    });
  });
  return f;
}

const table = (heads, rows) => h('table', { cls: 'stack' }, h('thead', {}, h('tr', {}, heads.map((x) => h('th', { scope: 'col' }, x)))), h('tbody', {}, rows.map((cells) => h('tr', {}, cells.map((c, i) => h('td', { data: { label: heads[i] } }, c))))));

async function saved() {
  await load();
  announce(say('c.saved'));
}

async function editTemplate(t, all, classes) {
  const made = await dialog(say(t.id ? 'settings.template_change' : 'settings.template_add'), (close) => {
    const of = (lang) => (t.variants || []).find((v) => v.lang === lang) || { lang };
    const names = { vi: input('vi', t.name?.vi, { required: true }), en: input('en', t.name?.en, { required: true }) };
    const theme = options(h('select', { name: 'theme' }), ['urgent', 'caution', 'health', 'action', 'night', 'plain'].map((x) => [x, say(`msg.theme_${x}`)]), t.theme || 'urgent');
    const parts = ['vi', 'en'].map((lang) => ({ lang, headline: input(`headline_${lang}`, of(lang).headline, { maxlength: 200, lang }), body: area(`body_${lang}`, of(lang).body, { maxlength: 400, lang }) }));
    const variants = () => parts.map((p) => ({ ...of(p.lang), lang: p.lang, headline: p.headline.value, body: p.body.value })).filter((v) => (v.headline + v.body).trim());
    const looks = h('div', { cls: 'looks' });
    const preview = new Preview(looks, 'public', () => {});
    const draw = () => { if (variants().length) preview.show({ theme: theme.value, icon: t.icon, variants: variants() }, classes); };
    const f = form([
      h('p', { cls: 'hint' }, say('settings.gaps')),
      h('div', { cls: 'form-grid' }, field(say('settings.name_vi'), names.vi, { path: 'name' }), field(say('settings.name_en'), names.en, { path: 'name_en' }), field(say('msg.theme'), theme, { path: 'theme' })),
      parts.map((p, i) => h('fieldset', {}, h('legend', {}, say(`settings.words_${p.lang}`)), field(say('msg.headline'), p.headline, { path: `variants[${i}]` }), field(say('msg.body'), p.body, { path: `variants[${i}].body` }))),
      h('h3', {}, say('settings.looks')), looks,
    ], async () => {
      const id = t.id || freshID(names.vi.value, all);
      await put(`/api/v1/templates/${id}`, { id, name: { vi: names.vi.value, en: names.en.value }, theme: theme.value, icon: t.icon, variants: variants() });
      close(true);
    }, close);
    f.addEventListener('input', draw);
    draw();
    return f;
  });
  if (made) await saved();
}

function freshID(name, all) {
  const id = slug(name, 'mau');
  const taken = new Set(all.map((t) => t.id));
  for (let n = 1; ; n++) {
    const x = n === 1 ? id : `${id}-${n}`;
    if (!taken.has(x)) return x;
  }
}

function templates(all, classes) {
  const state = (t) => (t.approved_by ? say('settings.approved_by', { who: who(t.approved_by) }) : say('settings.not_approved'));
  const actions = (t) => h('div', { cls: 'buttons' },
    approves && !t.approved_by ? button('settings.approve', 'main', async () => {
      if (!await ask(say('settings.approve'), say('settings.approve_ask', { name: both(t.name) }), say('settings.approve'), false)) return;
      await post(`/api/v1/templates/${t.id}/approve`, { digest: t.digest });
      await saved();
    }) : null,
    authors ? button('settings.change', 'quiet', () => editTemplate(t, all, classes)) : null,
    authors ? button('settings.delete', 'danger', async () => {
      if (!await ask(say('settings.delete'), say('settings.template_delete_ask', { name: both(t.name) }), say('settings.delete'))) return;
      await remove(`/api/v1/templates/${t.id}`);
      await saved();
    }) : null);
  const first = (t) => t.variants[0];
  return h('section', { cls: 'panel wide' }, h('h2', {}, say('settings.templates')), h('p', { cls: 'hint' }, say('settings.templates_hint')),
    authors ? h('div', { cls: 'buttons' }, button('settings.template_add', 'main', () => editTemplate({}, all, classes))) : null,
    table([say('settings.name'), say('settings.words'), say('settings.state'), say('c.actions')], all.map((t) => [h('strong', {}, both(t.name)), h('span', { lang: first(t).lang }, [first(t).headline, first(t).body].filter(Boolean).join(' – ')), state(t), actions(t)])));
}

// who is a person's short name: "user:approver" → "approver".
const who = (id) => id.replace(/^\w+:/, '');

function drill(d) {
  const text = d.on ? say('settings.drill_on', { day: say(`c.day_${d.day}`), at: d.at }) : say('settings.drill_off');
  if (!admin) return h('section', { cls: 'panel' }, h('h2', {}, say('settings.drill')), h('p', { cls: 'hint' }, say('settings.drill_hint')), h('p', {}, text));
  const on = h('input', { type: 'checkbox', name: 'on', checked: d.on });
  const day = options(h('select', { name: 'day' }), days.map((x) => [x, say(`c.day_${x}`)]), d.day);
  const clock = input('at', d.at, { type: 'time', required: true });
  return h('section', { cls: 'panel' }, h('h2', {}, say('settings.drill')), h('p', { cls: 'hint' }, say('settings.drill_hint')), h('p', { id: 'drill-now' }, text),
    form([h('label', { cls: 'check' }, on, say('settings.drill_make')), h('div', { cls: 'form-grid' }, field(say('settings.drill_day'), day, { path: 'day' }), field(say('settings.drill_at'), clock, { path: 'at', hint: say('c.vietnam') }))],
      async () => {
        await put('/api/v1/drill', { on: on.checked, day: day.value, at: clock.value });
        await saved();
      }));
}

function cap(state, areas) {
  const p = state.policy;
  const named = new Map(areas.map((a) => [a.code, a.name]));
  const inside = (p.auto?.areas || []).map((a) => named.get(a) || a).join(', ');
  const holds = !p.auto ? say('settings.cap_auto_none') : say(p.approved_by ? 'settings.cap_auto_holds' : 'settings.cap_auto_waits', { areas: inside, priority: p.auto.max_priority, proposed: who(p.proposed_by || ''), approved: who(p.approved_by || '') });
  const doing = new Map((state.feeds || []).map((f) => [f.id, f]));
  const health = (f) => {
    const s = doing.get(f.id);
    if (!s?.asked_ms) return say('settings.feed_unasked');
    if (s.trouble) return h('span', { cls: 'problem' }, both({ vi: s.trouble_vi, en: s.trouble }));
    return say('settings.feed_good', { ago: ago((Date.now() - s.answered_ms) / 1000) });
  };
  return h('section', { cls: 'panel wide' }, h('h2', {}, say('settings.cap')), h('p', { cls: 'hint' }, say('settings.cap_hint')),
    h('dl', { cls: 'pairs' }, h('dt', {}, say('settings.cap_senders')), h('dd', {}, p.senders.join(', ') || say('settings.cap_no_senders')), h('dt', {}, say('settings.cap_auto')), h('dd', {}, holds)),
    h('div', { cls: 'buttons' },
      admin ? button('settings.change', 'quiet', () => editCAP(p, areas)) : null,
      approves && p.auto && !p.approved_by ? button('settings.cap_approve', 'main', async () => {
        if (!await ask(say('settings.cap_approve'), say('settings.cap_approve_ask', { areas: inside, priority: p.auto.max_priority, senders: p.senders.join(', ') }), say('settings.cap_approve'))) return;
        await post('/api/v1/cap/approve', { digest: state.digest });
        await saved();
      }) : null),
    h('h3', {}, say('settings.feeds')),
    p.feeds.length ? table([say('settings.name'), say('settings.url'), say('settings.every'), say('settings.state')], p.feeds.map((f) => [f.id, f.url, say('settings.seconds', { n: number(f.every_s || 60) }), health(f)])) : h('p', { cls: 'hint' }, say('settings.no_feeds')),
    h('h3', {}, say('settings.cap_last')),
    state.last?.length ? table([say('settings.cap_at'), say('settings.cap_sender'), say('settings.cap_became'), say('settings.cap_why')], state.last.slice(0, 20).map((r) => [moment(r.at_ms, zone), `${r.sender} ${r.identifier}`, say(`settings.became_${r.outcome}`), both(r.because)])) : h('p', { cls: 'hint' }, say('settings.cap_none')));
}

async function editCAP(p, areas) {
  const made = await dialog(say('settings.cap'), (close) => {
    const senders = area('senders', p.senders.join('\n'), { spellcheck: 'false' });
    const feeds = area('feeds', p.feeds.map((f) => [f.id, f.url, f.every_s].filter(Boolean).join(' ')).join('\n'), { spellcheck: 'false' });
    const auto = h('input', { type: 'checkbox', name: 'auto', checked: Boolean(p.auto) });
    const most = options(h('select', { name: 'max_priority' }), [['60', say('settings.severity_minor')], ['100', say('settings.severity_moderate')], ['150', say('settings.severity_severe')], ['200', say('settings.severity_extreme')]], String(p.auto?.max_priority || 100));
    const boxes = areas.filter((a) => !a.replaced_by).map((a) => [a, h('input', { type: 'checkbox', checked: (p.auto?.areas || []).includes(a.code) })]);
    const bounds = h('div', {}, field(say('settings.max_priority'), most, { path: 'cap.auto.max_priority' }), h('fieldset', {}, h('legend', {}, say('settings.cap_areas')), h('div', { cls: 'days-choice' }, boxes.map(([a, b]) => h('label', { cls: 'check' }, b, a.name)))));
    const show = () => { bounds.hidden = !auto.checked; };
    auto.addEventListener('change', show);
    show();
    return form([field(say('settings.cap_senders'), senders, { path: 'cap.senders', hint: say('settings.cap_senders_hint') }), field(say('settings.feeds'), feeds, { path: 'cap.feeds', hint: say('settings.feeds_hint') }),
      h('label', { cls: 'check' }, auto, say('settings.cap_auto_make')), h('p', { cls: 'hint' }, say('settings.cap_auto_hint')), bounds],
    async () => {
      const body = { senders: lines(senders.value), feeds: lines(feeds.value).map((l) => {
        const [id, url, every] = l.split(/\s+/);
        return { id, url: url || '', ...(every ? { every_s: Number(every) } : {}) };
      }) };
      if (auto.checked) body.auto = { areas: boxes.filter(([, b]) => b.checked).map(([a]) => a.code), max_priority: Number(most.value) };
      await put('/api/v1/cap', body);
      close(true);
    }, close);
  });
  if (made) await saved();
}

async function editHook(all) {
  const made = await dialog(say('settings.hook_add'), (close) => {
    const id = input('id', '', { required: true, pattern: '[a-z0-9][a-z0-9\\-]{1,47}', spellcheck: 'false', autocapitalize: 'none' });
    const url = input('url', 'https://', { required: true, type: 'url', spellcheck: 'false' });
    const boxes = events.map((e) => [e, h('input', { type: 'checkbox', checked: true })]);
    return form([field(say('settings.name'), id, { path: 'id', hint: say('settings.id_hint') }), field(say('settings.url'), url, { path: 'url', hint: say('settings.hook_url_hint') }),
      h('fieldset', {}, h('legend', {}, say('settings.events')), h('div', { cls: 'days-choice' }, boxes.map(([e, b]) => h('label', { cls: 'check' }, b, say(`settings.event_${e}`)))))],
    async () => {
      const name = id.value.trim();
      if (all.some((x) => x.id === name) && !await ask(say('settings.hook_replace'), say('settings.hook_replace_ask', { name }), say('settings.hook_replace'))) return;
      close((await put(`/api/v1/webhooks/${name}`, { url: url.value, events: boxes.filter(([, b]) => b.checked).map(([e]) => e) })).data);
    }, close);
  });
  if (!made) return;
  if (made.secret) await dialog(say('settings.secret'), (close) => [h('p', {}, say('settings.secret_text')), h('p', { cls: 'code' }, made.secret), h('div', { cls: 'buttons' }, h('button', { type: 'button', cls: 'main', onclick: () => close(null) }, say('settings.kept')))]);
  await saved();
}

function hooks(all) {
  return h('section', { cls: 'panel wide' }, h('h2', {}, say('settings.hooks')), h('p', { cls: 'hint' }, say('settings.hooks_hint')),
    h('div', { cls: 'buttons' }, button('settings.hook_add', 'main', () => editHook(all))),
    all.length ? table([say('settings.name'), say('settings.url'), say('settings.events'), say('c.actions')], all.map((x) => [h('strong', {}, x.id), x.url, x.events.map((e) => say(`settings.event_${e}`)).join(', '), button('settings.delete', 'danger', async () => {
      if (!await ask(say('settings.delete'), say('settings.hook_delete_ask', { name: x.id }), say('settings.delete'))) return;
      await remove(`/api/v1/webhooks/${x.id}`);
      await saved();
    })])) : h('p', { cls: 'hint' }, say('settings.no_hooks')));
}

async function load() {
  if (!department) {
    at('content').replaceChildren(h('p', {}, say('settings.department_only')));
    return;
  }
  const [all, plan, state, areas, signs, hookList] = await Promise.all([items('/api/v1/templates'), get('/api/v1/drill'), get('/api/v1/cap'), items('/api/v1/areas'), get('/api/v1/signs'), admin ? items('/api/v1/webhooks') : []]);
  const classes = [...new Set(signs.signs.map((s) => s.class))].slice(0, 4);
  at('content').replaceChildren(templates(all, classes), drill(plan), cap(state, areas), ...(admin ? [hooks(hookList)] : []));
}

await busy(at('content'), at('main'), load);
