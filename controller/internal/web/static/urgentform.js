// Writing an urgent message. What is chosen here is fixed when it is sent for
// approval: its words, where it goes, until when, and whether it is for real.
import { get, items, post, slug } from './api.js';
import { AreaChoice } from './areachoice.js';
import { covers } from './areanames.js';
import { busy, clearProblems, field, h, options, problems } from './dom.js';
import { Preview } from './preview.js';
import { me } from './shell.js';
import { both, say } from './words.js';

const minutes = [15, 30, 60, 120, 360, 720, 1440];

// compose is the form; close takes it away.
export async function compose(close) {
  const [areas, templates, signs] = await Promise.all([items('/api/v1/areas'), items('/api/v1/templates'), get('/api/v1/signs')]);
  const mine = areas.filter((a) => !a.replaced_by && (!me.areas || me.areas.some((m) => covers(m, a.code))));
  const modes = ['live', 'test', 'drill'].map((m, i) => [m, h('input', { type: 'radio', name: 'mode', value: m, checked: i === 0 })]);
  const words = options(h('select', { name: 'template' }), [['', say('urgent.own_words')], ...templates.map((t) => [t.id, both(t.name)])], '');
  const text = h('textarea', { name: 'text', maxlength: 400 });
  const textField = field(say('urgent.text'), text, { path: 'text', hint: say('urgent.text_hint') });
  const values = h('div', { cls: 'form-grid' });
  const reach = h('p', { cls: 'reach', role: 'status' });
  const until = options(h('select', { name: 'until' }), minutes.map((m) => [String(m), m < 60 ? say('urgent.minutes', { n: m }) : say('urgent.hours', { n: m / 60 })]), '30');
  const priority = options(h('select', { name: 'priority' }), [['100', say('urgent.priority_normal')], ['150', say('urgent.priority_high')], ['200', say('urgent.priority_top')]], '100');
  const takeover = options(h('select', { name: 'takeover' }), [['', say('urgent.take_all')], ['600/50', say('urgent.take_half')], ['600/25', say('urgent.take_quarter')]], '');
  const correction = h('textarea', { name: 'correction', maxlength: 300 });
  const reason = h('textarea', { name: 'reason', maxlength: 200 });
  const reasonField = field(say('urgent.reason'), reason, { path: 'reason', hint: say('urgent.reason_hint') });
  reasonField.hidden = true;
  const looks = h('div', { cls: 'looks' });
  const preview = new Preview(looks, 'public', () => {});
  const mode = () => modes.find(([, r]) => r.checked)[0];
  const gets = (s) => (mode() !== 'test' || s.test) && s.areas.some((x) => choice.codes.some((c) => covers(c, x)));
  const reached = () => signs.signs.filter(gets);
  const choice = new AreaChoice(areas, mine, signs.signs, gets, () => draw());

  const filled = () => {
    const t = templates.find((x) => x.id === words.value);
    if (!t) return [{ lang: 'vi', body: text.value }];
    const given = Object.fromEntries([...values.querySelectorAll('input')].map((i) => [i.name, i.value]));
    const fill = (s) => (s || '').replace(/\{(\w+)\}/g, (all, k) => given[k] || all);
    return t.variants.map((v) => ({ lang: v.lang, headline: fill(v.headline), body: fill(v.body) }));
  };
  const draw = () => {
    const to = reached();
    reach.textContent = say('urgent.reach', { n: to.length });
    form.dataset.mode = mode();
    preview.show({ theme: 'urgent', variants: filled().filter((v) => (v.headline || v.body || '').trim()) }, [...new Set(to.map((s) => s.class))].slice(0, 6));
  };
  const pick = () => {
    const t = templates.find((x) => x.id === words.value);
    textField.hidden = Boolean(t);
    const names = t ? [...new Set(t.variants.flatMap((v) => [...`${v.headline || ''} ${v.body || ''}`.matchAll(/\{(\w+)\}/g)].map((m) => m[1])))].filter((n) => n !== 'until') : [];
    values.replaceChildren(...names.map((n) => field(say('urgent.value', { name: n }), h('input', { name: n, maxlength: 80 }), { path: `values.${n}` })));
    draw();
  };

  const button = h('button', { cls: 'main' }, say('urgent.submit'));
  const form = h('form', { cls: 'urgent-form panel', data: { mode: 'live' } },
    h('h2', {}, say('urgent.new')),
    h('fieldset', {}, h('legend', {}, say('urgent.mode')), modes.map(([m, r]) => h('label', { cls: `check mode-choice ${m}` }, r, h('span', {}, h('strong', {}, say(`urgent.mode_${m}`)), ' ', say(`urgent.mode_${m}_hint`))))),
    field(say('urgent.words'), words, { path: 'template' }), textField, values,
    h('fieldset', {}, h('legend', {}, say('urgent.areas')), choice.element, reach),
    h('div', { cls: 'form-grid' }, field(say('urgent.until'), until, { path: 'until' }), field(say('urgent.priority'), priority, { path: 'priority' }), field(say('urgent.takeover'), takeover, { path: 'takeover' })),
    field(say('urgent.correction'), correction, { path: 'correction', hint: say('urgent.correction_hint') }),
    h('h3', {}, say('urgent.looks')), looks, reasonField, problems(),
    h('div', { cls: 'buttons' }, button, h('button', { type: 'button', cls: 'quiet', onclick: close }, say('c.cancel'))));
  form.addEventListener('input', draw);
  for (const [, r] of modes) r.addEventListener('change', () => choice.draw()); // other signs are reached
  words.addEventListener('change', pick);
  form.addEventListener('submit', (e) => {
    e.preventDefault();
    busy(button, form, async () => {
      clearProblems(form);
      const now = Math.floor(Date.now() / 1000);
      const body = { id: `${slug(text.value || words.value, 'tin').slice(0, 20).replace(/-+$/, '')}-${now.toString(36)}`, mode: mode(), areas: choice.codes, until: now + Number(until.value) * 60, priority: Number(priority.value) };
      if (words.value) {
        body.template = words.value;
        body.values = Object.fromEntries([...values.querySelectorAll('input')].filter((i) => i.value).map((i) => [i.name, i.value]));
      } else body.text = text.value;
      if (takeover.value) {
        const [exclusive, share] = takeover.value.split('/').map(Number);
        body.takeover = { exclusive_s: exclusive, share_percent: share };
      }
      if (correction.value.trim()) body.correction = correction.value;
      if (!reasonField.hidden && reason.value.trim()) Object.assign(body, { override: 'distance', reason: reason.value });
      const made = await post('/api/v1/alerts', body).catch((problem) => {
        // What cannot be read on a sign may be let through, with a reason.
        if (problem.code === 'unreadable') reasonField.hidden = false;
        throw problem;
      });
      location.assign(`/urgent?id=${encodeURIComponent(made.id)}`);
    });
  });
  pick();
  return form;
}
