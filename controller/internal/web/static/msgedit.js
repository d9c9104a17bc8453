// The message editor: its parts on the left, its frames beside them, and what
// speaks against it under the words that it is about.
import { fresh as freshID, slug, remove } from './api.js';
import { announce, ask, busy, clearProblems, field, h, options, problems } from './dom.js';
import { save } from './conflict.js';
import { History } from './history.js';
import { findingList, Preview } from './preview.js';
import { say } from './words.js';

const themes = ['plain', 'health', 'action', 'caution', 'urgent', 'night'];
const icons = ['phone', 'call', 'bluetooth', 'office', 'shield', 'mask', 'wash', 'distance', 'crowd', 'form', 'warning', 'info'];
const parts = ['headline', 'body', 'caption'];

// MessageEditor edits one message of owner. host knows what else there is:
// {owner, classes(), chosen, media(), messageIDs(), writable, changed(id)}.
export class MessageEditor {
  constructor(box, host) {
    this.box = box;
    this.host = host;
  }

  get dirty() { return Boolean(this.history && this.history.dirty && this.host.writable); }

  async open(message, etag) {
    this.message = message;
    this.etag = etag;
    this.history = new History(message, (state) => { this.fill(state); this.look(); });
    this.build();
    this.fill(message);
    this.look();
  }

  build() {
    const disabled = !this.host.writable;
    const text = (name, rows) => (rows ? h('textarea', { name, rows, maxlength: 2000, disabled }) : h('input', { name, maxlength: 2000, autocomplete: 'off', disabled }));
    this.c = {};
    const make = (name, control) => { this.c[name] = control; return control; };
    this.notes = {};
    const words = (l) => h('fieldset', { lang: l }, h('legend', {}, say(`msg.words_${l}`)),
      field(say('msg.headline'), make(`${l}.headline`, text(`${l}-headline`)), { path: `${l}.headline` }), field(say('msg.body'), make(`${l}.body`, text(`${l}-body`, 3)), { path: `${l}.body` }),
      field(say('msg.caption'), make(`${l}.caption`, text(`${l}-caption`)), { path: `${l}.caption` }), this.notes[l] = h('div', { role: 'status' }));
    const select = (name, list) => make(name, options(h('select', { name, disabled }), list));
    this.id = h('input', { name: 'id', pattern: '[a-z0-9][a-z0-9\\-]{1,47}', autocomplete: 'off', spellcheck: 'false', placeholder: say('msg.id_auto') });
    const media = [['', say('msg.no_image')], ...this.host.media().map((m) => [m.id, m.id])];
    const now = this.message.image?.media;
    if (now && !media.some(([id]) => id === now)) media.push([now, now]);
    if (!this.preview) { // it stays what it is while a message is saved
      this.looks = h('div', { cls: 'looks' });
      this.preview = new Preview(this.looks, this.host.owner, (f) => this.found(f));
    }
    this.rest = h('div', { role: 'status' });
    this.classBox = h('div', { cls: 'days-choice' });
    this.drawClasses();
    const button = (key, cls, f) => { const b = h('button', { type: 'button', cls }, say(key)); b.addEventListener('click', () => f(b)); return b; };
    this.undo = button('c.undo', 'quiet', () => this.step('undo'));
    this.redo = button('c.redo', 'quiet', () => this.step('redo'));
    this.saveButton = h('button', { cls: 'main' }, say('msg.save'));
    this.form = h('form', {}, this.etag ? null : field(say('msg.id'), this.id, { path: 'id', hint: say('msg.id_hint') }), words('vi'), words('en'),
      h('div', { cls: 'form-grid' }, field(say('msg.theme'), select('theme', [['', say('msg.theme_none')], ...themes.map((t) => [t, say(`msg.theme_${t}`)])]), { path: 'theme' }),
        field(say('msg.layout'), select('layout', [['', say('msg.layout_auto')], ['page', say('msg.layout_page')], ['scroll', say('msg.layout_scroll')]]), { path: 'layout' }),
        field(say('msg.icon'), select('icon', [['', say('msg.icon_none')], ...icons.map((t) => [t, say(`msg.icon_${t}`)])]), { path: 'icon' }),
        field(say('msg.image'), select('image', media), { path: 'image' }), field(say('msg.fit'), select('fit', [['', say('msg.fit_fit')], ['fill', say('msg.fit_fill')], ['stretch', say('msg.fit_stretch')]]), { path: 'image.fit' }),
        field(say('msg.qr'), make('qr', h('input', { name: 'qr', maxlength: 300, autocomplete: 'off', spellcheck: 'false', disabled })), { path: 'qr' }),
        field(say('msg.address'), make('address', h('input', { name: 'address', autocomplete: 'off', spellcheck: 'false', disabled })), { path: 'address', hint: say('msg.address_hint') })),
      this.rest, this.override = h('div', { hidden: true }), problems(),
      this.host.writable ? h('div', { cls: 'buttons' }, this.saveButton, this.undo, this.redo, this.etag ? button('msg.delete', 'danger', (b) => this.erase(b)) : null) : h('p', { cls: 'hint' }, say('msg.read_only')));
    this.form.addEventListener('input', (e) => {
      this.history.add(this.collect(), e.target.name);
      this.look();
      this.buttons();
    });
    this.form.addEventListener('submit', (e) => { e.preventDefault(); busy(this.saveButton, this.form, () => this.store()); });
    this.form.addEventListener('keydown', (e) => {
      if (!(e.ctrlKey || e.metaKey) || e.key.toLowerCase() !== 's') return;
      e.preventDefault();
      this.form.requestSubmit();
    });
    this.box.replaceChildren(h('h2', {}, this.etag ? say('msg.edit', { name: this.message.id }) : say('msg.new')), h('fieldset', { cls: 'classes' }, h('legend', {}, say('msg.looks')), this.classBox, this.looks), this.form);
    this.buttons();
  }

  drawClasses() {
    this.classBox.replaceChildren(...this.host.classes().map((c) => {
      const box = h('input', { type: 'checkbox', checked: this.host.chosen.has(c) });
      box.addEventListener('change', () => {
        if (box.checked) this.host.chosen.add(c);
        else this.host.chosen.delete(c);
        this.look();
      });
      return h('label', { cls: 'check' }, box, c);
    }));
  }

  fill(m) {
    for (const l of ['vi', 'en']) {
      const v = (m.variants || []).find((x) => x.lang === l) || {};
      for (const p of parts) this.c[`${l}.${p}`].value = v[p] || '';
    }
    for (const k of ['theme', 'layout', 'icon', 'qr', 'address']) this.c[k].value = m[k] || '';
    this.c.image.value = m.image?.media || '';
    this.c.fit.value = m.image?.fit === 'fit' ? '' : m.image?.fit || '';
    this.buttons();
  }

  // collect is the message as the form has it; what the form does not show stays.
  collect() {
    const m = structuredClone(this.message);
    const others = (m.variants || []).filter((v) => !['vi', 'en'].includes(v.lang));
    const variants = [];
    for (const l of ['vi', 'en']) {
      const v = { lang: l };
      for (const p of parts) if (this.c[`${l}.${p}`].value.trim()) v[p] = this.c[`${l}.${p}`].value;
      if (Object.keys(v).length > 1) variants.push(v);
    }
    m.variants = [...variants, ...others];
    if (!m.variants.length) delete m.variants;
    for (const k of ['theme', 'layout', 'icon', 'qr', 'address']) {
      if (this.c[k].value.trim()) m[k] = this.c[k].value.trim();
      else delete m[k];
    }
    if (this.c.image.value) {
      m.image = { ...m.image, media: this.c.image.value };
      if (this.c.fit.value) m.image.fit = this.c.fit.value;
      else delete m.image.fit;
    } else delete m.image;
    return m;
  }

  look() {
    const m = this.collect();
    this.order = (m.variants || []).map((v) => v.lang);
    this.preview.show(m, [...this.host.chosen].filter((c) => this.host.classes().includes(c)));
  }

  // found puts findings under the words that they are about.
  found(findings) {
    const of = (f) => {
      const n = /^variants\[(\d+)\]/.exec(f.field || '');
      return n ? this.order[Number(n[1])] : /^variants/.test(f.field || '') ? this.order[0] : '';
    };
    for (const l of ['vi', 'en']) this.notes[l].replaceChildren(...findingList(findings.filter((f) => of(f) === l)));
    this.rest.replaceChildren(...findingList(findings.filter((f) => !['vi', 'en'].includes(of(f)))));
  }

  buttons() {
    if (!this.undo) return;
    this.undo.disabled = !this.history.undoable;
    this.redo.disabled = !this.history.redoable;
  }

  step(way) {
    this.history[way]();
    this.buttons();
    announce(say(`c.done_${way}`));
  }

  async store(reason) {
    const body = this.collect();
    if (!this.etag) {
      const title = (body.variants || []).flatMap((v) => [v.headline, v.body, v.caption]).find((t) => t) || body.image?.media || '';
      body.id = this.id.value.trim() || freshID(slug(title, 'tin-moi'), this.host.messageIDs());
    }
    const path = `/api/v1/owners/${this.host.owner}/messages/${body.id}`;
    let answer;
    try {
      answer = await save(reason ? `${path}?override=distance&reason=${encodeURIComponent(reason)}` : path, body, this.etag, path);
    } catch (p) {
      if (p.code === 'unreadable') this.askOverride();
      // A finding's place is by language here.
      const n = /variants\[(\d+)\]\.(\w+)/.exec(p.field || '');
      if (n) p.field = `messages/${body.id}.${this.order[Number(n[1])]}.${n[2]}`;
      throw p;
    }
    if (!answer) return;
    this.message = answer.theirs || answer.data;
    this.etag = answer.etag;
    this.history.begin(this.message);
    clearProblems(this.form);
    this.build();
    this.fill(this.message);
    this.look();
    this.form.append(h('p', { cls: 'ok', role: 'status' }, say(answer.theirs ? 'c.took' : 'c.saved')));
    await this.host.changed(this.message.id);
    this.saveButton.focus({ preventScroll: true }); // the one that was pressed is gone
    announce(say(answer.theirs ? 'c.took' : 'c.saved'));
  }

  // askOverride: a text that is too small to read is let through by name only.
  askOverride() {
    const reason = h('input', { minlength: 4, maxlength: 200, autocomplete: 'off' });
    const button = h('button', { type: 'button', cls: 'danger' }, say('msg.override'));
    button.addEventListener('click', () => busy(button, this.form, () => this.store(reason.value.trim())));
    this.override.hidden = false;
    this.override.replaceChildren(field(say('msg.override_reason'), reason, { hint: say('msg.override_hint'), path: 'reason' }), button);
  }

  async erase(button) {
    if (!await ask(say('msg.delete'), say('msg.delete_ask', { name: this.message.id }), say('msg.delete'))) return;
    await busy(button, this.form, async () => {
      await remove(`/api/v1/owners/${this.host.owner}/messages/${this.message.id}`, { etag: this.etag });
      this.history = null;
      this.box.replaceChildren(h('p', { cls: 'hint' }, say('msg.choose')));
      await this.host.changed('');
    });
  }
}
