// Choosing areas: in a list by name, or on a map by the signs that stand in
// them. Both are one selection.
import { covers, depth, inOrder } from './areanames.js';
import { announce, h } from './dom.js';
import { SignMap } from './map.js';
import { say } from './words.js';

export class AreaChoice {
  // mine are the areas that may be chosen; reached says whether a sign would
  // get the message; changed is called at each change.
  constructor(areas, mine, signs, reached, changed) {
    this.mine = new Map(mine.map((a) => [a.code, a]));
    this.changed = changed;
    this.boxes = new Map(inOrder(mine).map((a) => [a.code, h('input', { type: 'checkbox', value: a.code, onchange: () => this.told(a.code) })]));
    const list = h('div', { cls: 'days-choice' }, [...this.boxes].map(([code, box]) => h('label', { cls: 'check' }, box, this.name(code))));
    const frame = h('div', { cls: 'picking', hidden: true });
    this.summary = h('ul', { cls: 'plain chosen-areas' });
    this.map = new SignMap(frame, () => inOrder(areas.filter((a) => !a.replaced_by)), {
      on: reached, area: (s) => this.narrowest(s), name: (code) => this.name(code), may: (code) => this.mine.has(code), chosen: (code) => this.covering(code) !== '', toggle: (code) => this.toggle(code),
    });
    const views = [['list', list], ['map', frame]].map(([view, part]) => {
      const button = h('button', { type: 'button', cls: 'quiet', 'aria-pressed': String(view === 'list'), data: { choose: view } }, say(`urgent.by_${view}`));
      button.addEventListener('click', () => {
        for (const [b, p] of views) {
          p.hidden = p !== part;
          b.setAttribute('aria-pressed', String(b === button));
        }
        if (view === 'map') this.map.show(signs);
      });
      return [button, part];
    });
    this.element = h('div', {}, h('div', { cls: 'views', role: 'group', 'aria-label': say('urgent.choose_by') }, views.map(([b]) => b)), list, frame, this.summary);
    this.draw();
  }

  name(code) { return this.mine.get(code)?.name || code; }

  get codes() { return [...this.boxes].filter(([, b]) => b.checked).map(([code]) => code); }

  // covering is the narrowest chosen area that covers one; '' for none.
  covering(code) { return this.codes.filter((c) => covers(c, code)).sort((a, b) => depth(b) - depth(a))[0] || ''; }

  // narrowest is the area of a sign that may be chosen and lies lowest.
  narrowest(sign) {
    const all = sign.areas.flatMap((code) => code.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/'))).filter((code) => this.mine.has(code));
    return all.sort((a, b) => depth(b) - depth(a))[0] || '';
  }

  // wider is the next area above that may be chosen; '' for none.
  wider(code) {
    const parts = code.split('/');
    for (let n = parts.length - 1; n > 0; n--) if (this.mine.has(parts.slice(0, n).join('/'))) return parts.slice(0, n).join('/');
    return '';
  }

  // toggle chooses an area, or unchooses what covers it.
  toggle(code) {
    const over = this.covering(code);
    this.boxes.get(over || code).checked = !over;
    this.told(over || code);
  }

  told(code) {
    announce(say(this.boxes.get(code).checked ? 'urgent.area_chosen' : 'urgent.area_left', { name: this.name(code) }));
    this.draw();
    this.changed();
  }

  // draw says what is chosen, with the way to wider areas and back.
  draw() {
    const codes = this.codes;
    const act = (code, f) => () => {
      f();
      this.told(code);
      (this.summary.querySelector('button') || this.element.querySelector('button')).focus(); // what was pressed is gone
    };
    this.summary.replaceChildren(...codes.map((code) => {
      const up = this.wider(code);
      return h('li', {}, h('strong', {}, this.name(code)),
        up && !codes.includes(up) ? h('button', { type: 'button', cls: 'quiet', onclick: act(up, () => { for (const [c, b] of this.boxes) b.checked = c === up || (b.checked && !covers(up, c)); }) }, say('urgent.wider', { name: this.name(up) })) : null,
        h('button', { type: 'button', cls: 'quiet icon', 'aria-label': say('urgent.leave_out', { name: this.name(code) }), onclick: act(code, () => { this.boxes.get(code).checked = false; }) }, '✕'));
    }));
    if (!this.map.root.hidden) this.map.draw();
  }
}
