// The playlist editor: items by drag and by keyboard, weights, dwells, dates,
// undo, and saving that overwrites nobody.
import { announce, ask, busy, clearProblems, field, h, options, problems } from './dom.js';
import { remove } from './api.js';
import { save } from './conflict.js';
import { History } from './history.js';
import { say, number } from './words.js';

// ListEditor edits one playlist. host: {owner, writable, choices(), titleOf(ref),
// openMessage(ref), changed(id)}.
export class ListEditor {
  constructor(box, host) {
    this.box = box;
    this.host = host;
  }

  get dirty() { return Boolean(this.history && this.history.dirty && this.host.writable); }

  async open(list, etag) {
    if (this.dirty && !await ask(say('c.unsaved'), say('c.unsaved_text'), say('c.discard'))) return false;
    this.etag = etag;
    this.history = new History(list, () => this.draw());
    this.build();
    return true;
  }

  build() {
    const list = this.history.now;
    const button = (key, cls, f) => { const b = h('button', { type: 'button', cls }, say(key)); b.addEventListener('click', () => f(b)); return b; };
    this.name = h('input', { name: 'name', maxlength: 200, value: list.name || '', autocomplete: 'off', disabled: !this.host.writable });
    this.name.addEventListener('input', () => this.change((s) => { s.name = this.name.value; }, 'name', false));
    this.list = h('ol', { cls: 'plain items', 'aria-label': say('lists.items') });
    this.undo = button('c.undo', 'quiet', () => { this.history.undo(); announce(say('c.done_undo')); });
    this.redo = button('c.redo', 'quiet', () => { this.history.redo(); announce(say('c.done_redo')); });
    this.saveButton = button('lists.save', 'main', (b) => busy(b, this.box, () => this.store()));
    this.choice = options(h('select', { name: 'add' }), this.host.choices());
    const add = button('lists.add', '', () => {
      if (!this.choice.value) return;
      this.change((s) => { s.items = [...(s.items || []), { message: this.choice.value }]; });
      announce(say('lists.added', { n: this.history.now.items.length }));
    });
    this.sum = h('p', { cls: 'hint' });
    this.box.replaceChildren(h('h2', {}, list.name || list.id), field(say('lists.name'), this.name, { path: 'name' }),
      this.host.writable ? h('p', { cls: 'hint' }, say('lists.how')) : null, this.list, this.sum,
      this.host.writable ? h('div', { cls: 'field', data: { path: 'items' } }, h('div', { cls: 'check' }, field(say('lists.message'), this.choice), add), h('p', { cls: 'problem', hidden: true })) : null, problems(),
      this.host.writable ? h('div', { cls: 'buttons' }, this.saveButton, this.undo, this.redo, this.etag ? button('lists.delete', 'danger', (b) => this.erase(b)) : null) : h('p', { cls: 'hint' }, say('lists.read_only')));
    this.draw();
  }

  // change makes one step of f.
  change(f, name = '', redraw = true) {
    const state = this.history.now;
    f(state);
    this.history.add(state, name);
    if (redraw) this.draw();
    else this.marks();
  }

  marks() {
    this.undo.disabled = !this.history.undoable;
    this.redo.disabled = !this.history.redoable;
    const items = this.history.now.items || [];
    const weights = items.reduce((t, i) => t + (i.count ? 0 : i.weight || 1), 0);
    this.sum.textContent = items.length ? say('lists.sum', { n: items.length, weights }) : say('lists.none');
    this.list.querySelectorAll('.share').forEach((e, i) => {
      const x = items[i];
      e.textContent = !x ? '' : x.count ? say('lists.count_of', { n: x.count }) : weights ? say('lists.share', { percent: number((x.weight || 1) / weights * 100, 1) }) : '';
    });
  }

  draw() {
    const state = this.history.now;
    const open = new Set([...this.list.querySelectorAll('details[open]')].map((d) => d.dataset.ref));
    if (document.activeElement !== this.name) this.name.value = state.name || '';
    this.list.replaceChildren(...(state.items || []).map((item, i) => this.row(item, i, state.items.length, open)));
    this.marks();
  }

  row(item, i, of, open) {
    const title = this.host.titleOf(item.message);
    const writable = this.host.writable;
    const move = (to) => this.move(i, to);
    const small = (key, text, f, off) => h('button', { type: 'button', cls: 'quiet icon', 'aria-label': say(key, { name: title }), title: say(key, { name: title }), disabled: off, onclick: f }, text);
    const grip = writable ? h('button', { type: 'button', cls: 'grip', 'aria-label': say('lists.grip', { name: title, n: i + 1, of }) }, '⠿') : h('span', {}, `${i + 1}.`);
    const box = h('li', { cls: 'item' }, grip, h('div', {}, h('button', { type: 'button', cls: 'quiet name', onclick: () => this.host.openMessage(item.message) }, title), h('div', { cls: 'hint share' })),
      writable ? h('div', { cls: 'buttons' }, small('lists.up', '↑', () => move(i - 1), i === 0), small('lists.down', '↓', () => move(i + 1), i === of - 1), small('lists.drop', '✕', () => {
        this.change((s) => s.items.splice(i, 1));
        announce(say('lists.dropped', { name: title }));
        (this.list.querySelectorAll('.grip')[Math.min(i, of - 2)] || this.choice).focus();
      })) : null, this.more(item, i, open));
    if (writable) {
      grip.addEventListener('keydown', (e) => {
        const to = { ArrowUp: i - 1, ArrowDown: i + 1, Home: 0, End: of - 1 }[e.key];
        if (to === undefined) return;
        e.preventDefault();
        move(to);
      });
      grip.addEventListener('pointerdown', (e) => this.drag(e, box, i));
    }
    return box;
  }

  more(item, i, open) {
    const disabled = !this.host.writable;
    const key = `${i}/${item.message}`;
    const input = (type, name, value, more) => h('input', { type, value: value ?? '', disabled, ...more, oninput: (e) => {
      this.change((s) => {
        const x = s.items[i];
        const v = e.target.value;
        if (v === '' || v === '0') delete x[name];
        else x[name] = type === 'date' ? v : name === 'dwell_ms' ? Math.round(Number(v) * 1000) : Math.round(Number(v));
      }, `${i}.${name}`, false);
    } });
    return h('details', { cls: 'more-box', open: open.has(key), data: { ref: key } }, h('summary', {}, say('lists.more')), h('div', { cls: 'more' },
      field(say('lists.weight'), input('number', 'weight', item.weight, { min: 1, max: 1000, placeholder: '1' }), { path: `items[${i}].weight`, hint: say('lists.weight_hint') }),
      field(say('lists.count'), input('number', 'count', item.count, { min: 1, max: 1000 }), { path: `items[${i}].count`, hint: say('lists.count_hint') }),
      field(say('lists.dwell'), input('number', 'dwell_ms', item.dwell_ms ? item.dwell_ms / 1000 : '', { min: 0, max: 300, step: 'any', placeholder: say('lists.dwell_auto') }), { path: `items[${i}].dwell_ms`, hint: say('lists.dwell_hint') }),
      field(say('lists.first'), input('date', 'first', item.first), { path: `items[${i}].first` }), field(say('lists.last'), input('date', 'last', item.last), { path: `items[${i}].last` })));
  }

  move(from, to) {
    const n = this.history.now.items.length;
    if (to < 0 || to >= n || to === from) return;
    this.change((s) => s.items.splice(to, 0, ...s.items.splice(from, 1)));
    this.list.querySelectorAll('.grip')[to]?.focus();
    announce(say('lists.moved', { name: this.host.titleOf(this.history.now.items[to].message), n: to + 1, of: n }));
  }

  // drag moves an item with the pointer: it goes where it is let go.
  drag(e, box, from) {
    if (e.button !== 0) return;
    e.preventDefault();
    e.target.focus();
    e.target.setPointerCapture(e.pointerId);
    box.classList.add('dragged');
    const moved = (m) => {
      const others = [...this.list.children].filter((x) => x !== box);
      const after = others.find((x) => { const r = x.getBoundingClientRect(); return m.clientY < r.top + r.height / 2; });
      if (after ? box.nextElementSibling !== after : this.list.lastElementChild !== box) this.list.insertBefore(box, after || null);
    };
    const done = (cancelled) => {
      e.target.removeEventListener('pointermove', moved);
      box.classList.remove('dragged');
      const to = [...this.list.children].indexOf(box);
      if (cancelled || to === from) this.draw();
      else this.move(from, to);
    };
    e.target.addEventListener('pointermove', moved);
    e.target.addEventListener('pointerup', () => done(false), { once: true });
    e.target.addEventListener('pointercancel', () => done(true), { once: true });
  }

  async store() {
    const body = this.history.now;
    if (!body.name) delete body.name;
    const answer = await save(`/api/v1/owners/${this.host.owner}/playlists/${body.id}`, body, this.etag);
    if (!answer) return;
    clearProblems(this.box);
    this.etag = answer.etag;
    this.history.begin(answer.theirs || answer.data);
    this.build();
    this.box.append(h('p', { cls: 'ok', role: 'status' }, say(answer.theirs ? 'c.took' : 'c.saved')));
    await this.host.changed(body.id);
    this.saveButton.focus({ preventScroll: true }); // the one that was pressed is gone
    announce(say(answer.theirs ? 'c.took' : 'c.saved'));
  }

  async erase(button) {
    const { id, name } = this.history.now;
    if (!await ask(say('lists.delete'), say('lists.delete_ask', { name: name || id }), say('lists.delete'))) return;
    await busy(button, this.box, async () => {
      await remove(`/api/v1/owners/${this.host.owner}/playlists/${id}`, { etag: this.etag });
      this.history = null;
      await this.host.changed('');
    });
  }
}
