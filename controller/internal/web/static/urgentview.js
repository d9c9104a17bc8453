// @ts-check
// One urgent message: what the second person sees before it goes, how many signs
// show it, whom to call about the others, and its end.
import { get, items, post } from './api.js';
import { announce, ask, badge, busy, field, h, problems } from './dom.js';
import { Face } from './leds.js';
import { department, me } from './shell.js';
import { both, moment, number, say } from './words.js';

const zone = 'Asia/Ho_Chi_Minh';
// company is what people call an owner.
const names = new Map(department ? (await items('/api/v1/owners')).map((o) => [o.id, o.name]) : []);
const company = (id) => (id === 'public' ? say('c.department') : names.get(id) || id);
const cancels = department && ['admin', 'author', 'approver'].includes(me.role);

export const stateText = (a) => say(a.state === 'ended' ? `urgent.ended_${a.why}` : `urgent.state_${a.state}`);

// band says at the top of the list what each mode looks like.
export const band = () => h('p', { cls: 'hint' }, ['live', 'test', 'drill'].map((m) => [h('span', { cls: `mode ${m}` }, say(`urgent.mode_${m}`)), ' ', say(`urgent.mode_${m}_hint`), ' ']));

/** @type {WeakMap<Element, Face>} */
const faces = new WeakMap();
const sizes = new ResizeObserver((entries) => { for (const e of entries) faces.get(e.target)?.measure(); });

// numberOfSigns is where an approver types the number that the preview says.
const numberOfSigns = () => h('input', { name: 'signs', inputmode: 'numeric', pattern: '[0-9]+', required: true,
  autocomplete: 'off' });

function frame(classOf, f, label) {
  const [, width, height, colour] = /^(\d+)x(\d+)-(\w+)$/.exec(classOf);
  const [w, hh] = [Number(width), Number(height)];
  const canvas = h('canvas', { cls: 'led', role: 'img', 'aria-label': label, css: { '--ratio': `${w} / ${hh}`, '--shape': Math.min(1, w / hh / 1.2) } });
  const face = new Face(canvas, w, hh, colour);
  faces.set(canvas, face);
  sizes.observe(canvas);
  fetch(f.url).then((r) => r.blob()).then(createImageBitmap).then((image) => face.show(image, '', 0, 100)).catch(() => {});
  return h('div', {}, h('div', { cls: 'step' }, canvas), h('p', { cls: 'hint' }, say('urgent.seconds', { n: number(f.ms / 1000, 1) })));
}

const onClass = (c) => h('section', { cls: 'look' }, h('h3', {}, say('urgent.on_class', { class: c.class, n: c.signs })), h('div', { cls: 'steps' }, c.frames.map((f, i) => frame(c.class, f, say('urgent.page_of', { class: c.class, n: i + 1 })))),
  c.late ? h('p', {}, say('urgent.late')) : null, c.form ? h('p', {}, say('urgent.short_form')) : null, c.unable ? h('p', { cls: 'bad' }, say('urgent.unable')) : null,
  c.findings.length ? h('ul', {}, c.findings.map((f) => h('li', {}, both(f.text), ' ', both(f.remedy)))) : null);

const counts = (title, list) => h('div', {}, h('h3', {}, title), h('ul', { cls: 'plain' }, list.map((c) => h('li', {}, h('strong', {}, number(c.signs)), ' ', c.name || c.id))));

export class AlertPage {
  constructor(a) {
    this.a = a;
    this.heard = 0;
    this.top = h('div');
    this.live = h('div');
    this.act = h('div');
    this.more = h('div');
    this.root = h('div', { cls: `alert ${a.mode}` }, this.top, this.act, this.live, problems(), this.more);
    this.update(a);
  }

  get id() { return encodeURIComponent(this.a.id); }

  // hear shows what the stream of events says.
  hear(a) {
    this.heard += 1;
    this.update(a);
  }

  // send asks for a step. Its answer was made before the signs spoke: where the
  // stream has said something since, that is newer, and the answer would put the
  // counts back.
  async send(what, body) {
    const before = this.heard;
    const a = await post(`/api/v1/alerts/${this.id}/${what}`, body);
    this.unsaved = a.unsaved;
    if (before === this.heard) this.update(a);
  }

  // update shows what came; what one types meanwhile stays.
  update(a) {
    const before = this.a;
    this.a = a;
    this.top.replaceChildren(h('div', { cls: `alert-band ${a.mode}` }, h('span', { cls: `mode ${a.mode}` }, say(`urgent.mode_${a.mode}`)), h('strong', {}, a.text || a.template || a.message), badge(stateText(a), '', ''), a.break_glass ? badge(say('urgent.glass_broken'), '!', 'bad') : null),
      h('p', { cls: 'hint' }, say('urgent.span', { from: moment(a.from * 1000, zone), until: moment(a.until * 1000, zone) }), ' ', say('urgent.by', { name: a.created_by.replace(/^\w+:/, '') }), a.approved_by ? ` ${say('urgent.approved_by', { name: a.approved_by.replace(/^\w+:/, '') })}` : ''));
    if (this.unsaved) this.top.append(h('p', { cls: 'problem', role: 'alert' }, say('urgent.unsaved')));
    if (a.state === 'running' || a.state === 'ended') this.numbers();
    if (before.state !== a.state || !this.act.hasChildNodes()) {
      this.actions();
      if (before.state !== a.state) {
        announce(stateText(a));
        this.fill();
      }
    }
  }

  numbers() {
    const a = this.a;
    const meter = h('div', { cls: 'meter', role: 'img', 'aria-label': say('urgent.count', { showing: a.showing, targeted: a.targeted }) }, h('span', { css: { width: `${a.targeted ? 100 * a.showing / a.targeted : 0}%` } }));
    const times = a.times ? h('p', { cls: 'hint' }, say('urgent.times', { p50: number(a.times.p50_ms), p95: number(a.times.p95_ms), p99: number(a.times.p99_ms) }), a.times.slowest.length ? ` ${say('urgent.slowest', { list: a.times.slowest.slice(0, 3).map((s) => `${s.sign} ${number(s.ms)} ms`).join(', ') })}` : '') : null;
    const call = a.call.length ? [h('h3', {}, say('urgent.call')), h('div', { cls: 'wide' }, h('table', { cls: 'stack' }, h('thead', {}, h('tr', {}, [say('urgent.sign'), say('urgent.company'), say('urgent.phone')].map((x) => h('th', { scope: 'col' }, x)))),
      h('tbody', {}, a.call.map((c) => h('tr', {}, h('td', { data: { label: say('urgent.sign') } }, h('a', { href: `/signs/${c.sign}` }, c.sign)), h('td', { data: { label: say('urgent.company') } }, company(c.owner)), h('td', { data: { label: say('urgent.phone') } }, c.phone ? h('a', { href: `tel:${c.phone.replace(/[^+0-9]/g, '')}` }, c.phone) : say('urgent.no_phone')))))))] : [];
    const out = a.out_of_service.length ? h('p', { cls: 'hint' }, say('urgent.out', { list: a.out_of_service.join(', ') })) : null;
    this.live.replaceChildren(h('section', { cls: 'panel' }, h('p', { cls: 'showing' }, h('span', { cls: 'n', id: 'showing' }, number(a.showing)), ' ', say(a.state === 'ended' ? 'urgent.shown_of' : 'urgent.showing_of', { n: number(a.targeted) })), meter,
      h('p', {}, say('urgent.rest', { sent: number(a.sent), received: number(a.received), rejected: number(a.rejected), missed: number(a.missed.length) })), times, out, ...call));
  }

  actions() {
    const a = this.a;
    this.act.replaceChildren();
    if (a.state === 'running' && cancels) {
      const stop = h('button', { type: 'button', cls: 'stop', id: 'cancel' }, say('urgent.cancel'));
      stop.addEventListener('click', () => this.step(stop, 'cancel', {}));
      const both = a.correction ? h('button', { type: 'button', cls: 'danger' }, say('urgent.cancel_correct')) : null;
      both?.addEventListener('click', () => this.step(both, 'cancel', { correction: true }));
      if (a.break_glass && me.role === 'approver' && a.approved_by !== me.id) this.act.append(this.extend());
      this.act.append(h('div', { cls: 'buttons' }, stop, both), a.correction ? h('p', { cls: 'hint' }, say('urgent.correction_is', { text: a.correction })) : '');
      return;
    }
    if (a.state !== 'pending') return;
    if (me.role === 'approver') {
      const n = numberOfSigns();
      const go = h('button', { cls: 'main' }, say(`urgent.approve_${a.mode}`));
      const reason = h('textarea', { name: 'reason', maxlength: 200 });
      const why = field(say('urgent.reason'), reason, { path: 'reason' });
      why.hidden = true; // until a sign came on which it cannot be read
      const form = h('form', { cls: 'panel approve' }, h('p', {}, say('urgent.approve_text')), field(say('urgent.number'), n, { path: 'signs' }), why, problems(), h('div', { cls: 'buttons' }, go, this.refuse()));
      form.addEventListener('submit', (e) => {
        e.preventDefault();
        const through = why.hidden || !reason.value.trim() ? {} : { override: 'distance', reason: reason.value };
        busy(go, form, () => this.send('approve', { signs: Number(n.value), digest: this.read, ...through }).catch((problem) => {
          if (problem.code === 'unreadable') why.hidden = false;
          throw problem;
        }));
      });
      this.act.append(form);
    } else {
      const glass = a.template && ['admin', 'author'].includes(me.role) ? h('button', { type: 'button', cls: 'danger' }, say('urgent.glass')) : null;
      glass?.addEventListener('click', () => busy(glass, this.root, async () => {
        if (await ask(say('urgent.glass'), say('urgent.glass_text'), say('urgent.glass'))) await this.send('break-glass');
      }));
      this.act.append(h('p', { cls: 'ok' }, say('urgent.waits')), h('div', { cls: 'buttons' }, cancels ? this.withdraw() : null, glass));
    }
  }

  // extend lets what one person sent alone run longer: the second person has read the preview.
  extend() {
    const n = numberOfSigns();
    const hours = h('select', { name: 'hours' },
      [1, 2, 4, 8].map((x) => h('option', { value: String(x) }, say('urgent.extend_h', { n: number(x) }))));
    const go = h('button', { cls: 'main' }, say('urgent.extend'));
    const form = h('form', { cls: 'panel approve' }, h('p', {}, say('urgent.extend_text')),
      field(say('urgent.until'), hours, { path: 'until' }), field(say('urgent.number'), n, { path: 'signs' }), problems(), h('div', { cls: 'buttons' }, go));
    form.addEventListener('submit', (e) => {
      e.preventDefault();
      const until = Math.floor(Date.now() / 1000) + Number(hours.value) * 3600;
      busy(go, form, () => this.send('extend', { signs: Number(n.value), digest: this.read, until }));
    });
    return form;
  }

  withdraw() {
    const b = h('button', { type: 'button', cls: 'quiet' }, say('urgent.withdraw'));
    b.addEventListener('click', () => this.step(b, 'cancel', {}));
    return b;
  }

  refuse() {
    const b = h('button', { type: 'button', cls: 'danger' }, say('urgent.refuse'));
    b.addEventListener('click', () => this.step(b, 'refuse', {}));
    return b;
  }

  step(button, what, body) {
    return busy(button, this.root, () => this.send(what, body));
  }

  // fill shows what does not change by itself: the preview before the end, the
  // report after it.
  async fill() {
    if (this.a.state === 'ended') {
      if (this.a.why === 'refused' || !this.a.approved_ms) {
        this.more.replaceChildren();
        return;
      }
      const r = await get(`/api/v1/alerts/${this.id}/report`);
      const at = (ms) => (ms ? moment(ms, zone) : '–');
      const heads = [say('urgent.sign'), say('urgent.company'), say('urgent.reached'), say('urgent.from'), say('urgent.to'), say('urgent.proved')];
      this.more.replaceChildren(h('section', { cls: 'panel wide' }, h('h2', {}, say('urgent.report')), h('table', { cls: 'stack' }, h('thead', {}, h('tr', {}, heads.map((x) => h('th', { scope: 'col' }, x)))),
        h('tbody', {}, r.signs.map((s) => h('tr', {}, [s.sign, company(s.owner), say(`urgent.reached_${s.reached}`) + (s.reason ? ` (${s.reason})` : ''), at(s.from_ms), at(s.until_ms), s.proved_ms ? say('urgent.seconds', { n: number(s.proved_ms / 1000, 1) }) : '–'].map((c, i) => h('td', { data: { label: heads[i] } }, c)))))),
        r.gave_way.length ? [h('h3', {}, say('urgent.gave_way')), h('ul', {}, r.gave_way.map((g) => h('li', {}, `${company(g.owner)}${g.item ? ` – ${g.item}` : ''}: ${say('urgent.seconds', { n: number(g.ms / 1000, 0) })}`)))] : null));
      return;
    }
    const p = await get(`/api/v1/alerts/${this.id}/preview`);
    this.read = p.digest;
    this.more.replaceChildren(h('section', { cls: 'panel' }, h('h2', {}, say('urgent.preview')),
      p.override ? h('p', { cls: 'note' }, say('urgent.let_through', { reason: p.reason })) : null,
      h('p', { cls: 'showing' }, h('span', { cls: 'n', id: 'reach' }, number(p.signs)), ' ', say('urgent.signs_reached'), p.pictures ? ` ${say('urgent.pictures', { n: number(p.pictures) })}` : ''),
      h('div', { cls: 'columns' }, counts(say('urgent.by_company'), p.by_company), counts(say('urgent.by_area'), p.by_area)),
      p.out_of_service.length ? h('p', {}, say('urgent.out', { list: p.out_of_service.map((o) => `${o.sign} (${o.reason})`).join(', ') })) : null,
      Object.entries({ fresh: p.new, never: p.never, offline: p.offline, dark: p.dark })
        .map(([k, list]) => (list?.length ? h('p', {}, say(`urgent.${k}`, { list: list.join(', ') })) : null)),
      h('div', { cls: 'looks' }, p.classes.map(onClass)), p.correction.length ? [h('h2', {}, say('urgent.correction')), h('div', { cls: 'looks' }, p.correction.map(onClass))] : null));
  }
}
