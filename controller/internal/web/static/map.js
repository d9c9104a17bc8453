// A plain map: places by longitude and latitude, borders where somebody drew
// them, and a mark for each sign or heap of signs. Nothing comes from outside.
// On the wall a mark leads to its sign; where areas are chosen, a mark chooses
// the area that its sign lies in.
import { announce, h, svg, dialog } from './dom.js';
import { light, marks, shapes, markBadge } from './signview.js';
import { number, say } from './words.js';

const heap = 42; // px within which marks become one
const named = 25; // up to so many marks carry their names
const worst = ['offline', 'stale', 'unknown', 'never', 'behind', 'online'];

const drawn = { // a mark's shape, about its middle
  online: () => svg('circle', { r: 8 }),
  behind: () => svg('path', { d: 'M0-8A8 8 0 0 0 0 8Z M1.5-8A8 8 0 0 1 1.5 8Z' }),
  stale: () => svg('path', { d: 'M0-9 9 7H-9Z' }),
  offline: () => svg('path', { d: 'M-8-8H8V8H-8Z M-4-4 4 4M4-4-4 4' }),
  unknown: () => svg('path', { d: 'M0-8A8 8 0 0 0 0 8A8 8 0 0 0 0-8Z M0-4A4 4 0 0 1 0 4A4 4 0 0 1 0-4Z' }),
  never: () => svg('path', { d: 'M0-10 10 0 0 10-10 0Z' }),
};

const slip = 6; // px that a pointer may move and still be a click

// frame is what a chosen mark has besides: another shape, not another colour.
const frame = () => svg('g', { class: 'chosen-frame' }, svg('path', { d: 'M-14-14H14V14H-14Z' }), svg('path', { d: 'M8-20 12-15 21-26' }));

// buttonOf makes an SVG element act as a button does.
function buttonOf(element, label, pressed, key, act) {
  for (const [k, v] of Object.entries({ role: 'button', tabindex: '0', 'aria-pressed': pressed, 'aria-label': label, 'data-key': key })) element.setAttribute(k, v);
  element.prepend(Object.assign(svg('title', {}), { textContent: label }));
  element.addEventListener('click', act);
  element.addEventListener('keydown', (e) => {
    if (e.key !== 'Enter' && e.key !== ' ') return;
    e.preventDefault();
    act(e);
  });
  return element;
}

export class SignMap {
  // pick says what choosing means: {on(sign), area(sign), name(code),
  // chosen(code), toggle(code), may(code)}; without it marks are links.
  constructor(root, areas, pick = null) {
    this.root = root;
    this.areas = areas;
    this.pick = pick;
    this.zoom = 1;
    this.list = [];
    this.picture = svg('svg', { tabindex: '0', role: 'group', 'aria-label': say(pick ? 'wall.map_choose' : 'wall.map_help') });
    const button = (text, label, f) => h('button', { type: 'button', cls: 'quiet', 'aria-label': label, title: label, onclick: f }, text);
    this.note = h('p', { cls: 'hint' });
    root.append(h('div', { cls: 'map-frame' }, this.picture, h('div', { cls: 'map-buttons' },
      button('+', say('wall.zoom_in'), () => this.scale(2)), button('−', say('wall.zoom_out'), () => this.scale(0.5)), button('⤢', say('wall.zoom_fit'), () => this.fit()))),
    h('ul', { cls: 'badges legend' }, ...Object.keys(shapes).map((s) => h('li', { cls: `on-map ${s}` }, svg('svg', { viewBox: '-12 -12 24 24', width: 20, height: 20, 'aria-hidden': 'true' }, drawn[s]()), say(`face.is_${s}`))), pick ? h('li', { cls: 'on-map' }, svg('svg', { viewBox: '-18 -28 42 44', width: 24, height: 24, 'aria-hidden': 'true' }, frame()), say('wall.map_chosen')) : ''), this.note);
    this.picture.addEventListener('keydown', (e) => {
      const step = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, -60], ArrowDown: [0, 60] }[e.key];
      if (step) this.pan(...step);
      else if (e.key === '+' || e.key === '=') this.scale(2);
      else if (e.key === '-') this.scale(0.5);
      else return;
      e.preventDefault();
    });
    this.drag();
    new ResizeObserver(() => { if (!root.hidden) this.draw(); }).observe(root);
  }

  drag() {
    let from = null;
    this.picture.addEventListener('pointerdown', (e) => {
      this.far = 0;
      this.held = true;
      if (!e.target.closest('.on-map')) from = [e.clientX, e.clientY];
    });
    window.addEventListener('pointermove', (e) => {
      if (!from) return;
      this.far += Math.hypot(from[0] - e.clientX, from[1] - e.clientY);
      if (this.far <= slip) return; // still a click, which must not lose what it is on
      this.pan(from[0] - e.clientX, from[1] - e.clientY);
      from = [e.clientX, e.clientY];
    });
    for (const end of ['pointerup', 'pointercancel']) {
      window.addEventListener(end, () => {
        from = null;
        setTimeout(() => { // behind the click
          this.held = false;
          if (this.late) this.draw();
        });
      });
    }
  }

  show(list) {
    const first = this.list.length === 0;
    this.list = list;
    if (first) this.fit();
    else this.draw();
  }

  // fit shows all signs, and the borders where there are no signs or where they
  // can be chosen.
  fit() {
    const places = this.list.filter((s) => s.position).map((s) => s.position);
    if (!places.length || this.pick) for (const a of this.areas()) for (const ring of a.outline || []) places.push(...ring);
    if (!places.length) places.push({ lat: 15.12, lon: 108.8 });
    const lat = places.map((p) => p.lat);
    const lon = places.map((p) => p.lon);
    const range = (x) => [Math.min(...x), Math.max(...x)];
    const [[s, n], [w, e]] = [range(lat), range(lon)];
    this.middle = { lat: (s + n) / 2, lon: (w + e) / 2 };
    this.span = Math.max(n - s, (e - w) * this.squeeze(), 0.02) * 1.2; // degrees of latitude over the smaller side
    this.zoom = 1;
    this.draw();
  }

  // squeeze is how much shorter a degree of longitude is here.
  squeeze() { return Math.cos(this.middle.lat * Math.PI / 180); }

  perDegree() { return Math.min(this.width, this.height) / this.span * this.zoom; }

  place(p) {
    const k = this.perDegree();
    return [this.width / 2 + (p.lon - this.middle.lon) * k * this.squeeze(), this.height / 2 - (p.lat - this.middle.lat) * k];
  }

  pan(dx, dy) {
    const k = this.perDegree();
    this.middle = { lat: Math.max(-85, Math.min(85, this.middle.lat - dy / k)), lon: this.middle.lon + dx / k / this.squeeze() };
    this.paint();
  }

  scale(f) {
    this.zoom = Math.max(0.25, Math.min(4096, this.zoom * f));
    this.draw();
  }

  // draw waits while a pointer is down: what it is on would be another one, and
  // the click lost.
  draw() {
    this.late = this.held;
    if (!this.held) this.paint();
  }

  paint() {
    if (!this.middle) return;
    this.width = this.picture.clientWidth || 600;
    this.height = this.picture.clientHeight || 400;
    this.picture.setAttribute('viewBox', `0 0 ${this.width} ${this.height}`);
    const all = [];
    for (const a of this.areas()) if (a.outline) all.push(this.border(a));
    const cells = new Map();
    for (const s of this.list) {
      if (!s.position) continue;
      const [x, y] = this.place(s.position);
      if (x < -heap || y < -heap || x > this.width + heap || y > this.height + heap) continue;
      const key = `${Math.floor(x / heap)}/${Math.floor(y / heap)}`;
      const cell = cells.get(key) || { x: 0, y: 0, signs: [] };
      cell.x += x;
      cell.y += y;
      cell.signs.push(s);
      cells.set(key, cell);
    }
    for (const c of cells.values()) all.push(this.mark(c, cells.size <= named));
    all.push(...this.ruler());
    const focus = document.activeElement && this.picture.contains(document.activeElement) ? document.activeElement.dataset.key : '';
    this.picture.replaceChildren(...all);
    if (focus) this.picture.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
    const lost = this.list.filter((s) => !s.position).length;
    this.note.textContent = lost ? say('wall.no_place', { n: lost }) : '';
  }

  // border is an area's outline. The narrower ones lie on top, as they come.
  border(a) {
    const d = a.outline.map((ring) => `M${ring.map((p) => this.place(p).map((x) => x.toFixed(1)).join(' ')).join('L')}Z`).join('');
    const path = svg('path', { class: 'border', d });
    if (!this.pick || !this.pick.may(a.code)) return path;
    const on = this.pick.chosen(a.code);
    path.classList.toggle('chosen', on);
    return buttonOf(path, a.name, String(on), `area:${a.code}`, (e) => { if (e.type !== 'click' || !(this.far > slip)) this.pick.toggle(a.code); });
  }

  // choice is a mark that chooses the area of its signs. Signs of several areas
  // are asked about.
  choice(c, withName) {
    const { pick } = this;
    const n = c.signs.length;
    const one = c.signs[0];
    const state = worst.find((w) => c.signs.some((s) => light(s) === w));
    const codes = [...new Set(c.signs.map((s) => pick.area(s)).filter(Boolean))];
    const on = c.signs.filter((s) => pick.on(s)).length;
    const places = codes.map((x) => pick.name(x)).join(', ') || say('wall.map_outside');
    const label = n === 1 ? `${one.name || one.id}: ${places}` : say('wall.map_heap', { n, places });
    const g = svg('g', { class: `on-map ${state}${on === n ? ' chosen' : on ? ' partly' : ''}`, transform: `translate(${(c.x / n).toFixed(1)} ${(c.y / n).toFixed(1)})` }, svg('circle', { class: 'target', r: 15 }), drawn[state]());
    if (on) g.append(frame());
    const text = n > 1 ? (on && on < n ? `${on}/${n}` : String(n)) : withName ? one.name || one.id : '';
    if (text) g.append(Object.assign(svg('text', { y: 28, 'text-anchor': 'middle' }), { textContent: text }));
    return buttonOf(g, label, on === n ? 'true' : on ? 'mixed' : 'false', one.id, () => {
      if (!codes.length) announce(say('wall.map_outside'));
      else if (codes.length === 1) pick.toggle(codes[0]);
      else this.ask(label, codes, c);
    });
  }

  ask(label, codes, c) {
    const n = c.signs.length;
    return dialog(label, (close) => [h('div', {}, codes.map((code) => h('label', { cls: 'check' }, h('input', { type: 'checkbox', value: code, checked: this.pick.chosen(code), onchange: () => this.pick.toggle(code) }), this.pick.name(code)))),
      h('div', { cls: 'buttons' }, h('button', { type: 'button', cls: 'main', onclick: () => close(null) }, say('c.close')), this.zoom < 4096 ? h('button', { type: 'button', cls: 'quiet', onclick: () => {
        close(null);
        this.middle = { lat: c.signs.reduce((t, s) => t + s.position.lat, 0) / n, lon: c.signs.reduce((t, s) => t + s.position.lon, 0) / n };
        this.scale(2);
      } }, say('wall.zoom_in')) : null)]);
  }

  // ruler is a length on the ground, of a round number.
  ruler() {
    const metre = this.perDegree() / 111320; // px
    const least = 60 / metre;
    const power = 10 ** Math.floor(Math.log10(least));
    const length = [1, 2, 5, 10].map((f) => f * power).find((m) => m >= least);
    const y = this.height - 16;
    const text = svg('text', { class: 'scale-text', x: 16, y: y - 6 });
    text.textContent = length >= 1000 ? `${number(length / 1000)} km` : `${number(length)} m`;
    return [svg('path', { class: 'scale', d: `M16 ${y - 4}v4h${(length * metre).toFixed(1)}v-4` }), text];
  }

  mark(c, withName) {
    if (this.pick) return this.choice(c, withName);
    const n = c.signs.length;
    const state = worst.find((w) => c.signs.some((s) => light(s) === w));
    const one = c.signs[0];
    const label = n === 1 ? `${one.name || one.id}: ${marks(one).map(([key]) => say(`face.is_${key}`)).join(', ')}` : say('wall.heap', { n, worst: say(`face.is_${state}`) });
    const g = svg('a', { class: `on-map ${state}`, href: n === 1 ? `/signs/${one.id}` : '#', 'aria-label': label, 'data-key': one.id,
      transform: `translate(${(c.x / n).toFixed(1)} ${(c.y / n).toFixed(1)})` }, svg('title', {}), svg('circle', { class: 'target', r: 15 }), drawn[state]());
    g.querySelector('title').textContent = label;
    const text = n > 1 ? String(n) : withName ? one.name || one.id : '';
    if (text) {
      const below = svg('text', { y: 24, 'text-anchor': 'middle' });
      below.textContent = text;
      g.append(below);
    }
    if (n > 1) {
      g.addEventListener('click', (e) => {
        e.preventDefault();
        const apart = c.signs.some((s) => s.position.lat !== one.position.lat || s.position.lon !== one.position.lon);
        if (apart && this.zoom < 4096) {
          this.middle = { lat: c.signs.reduce((t, s) => t + s.position.lat, 0) / n, lon: c.signs.reduce((t, s) => t + s.position.lon, 0) / n };
          this.scale(2);
        } else {
          dialog(label, (close) => [h('ul', { cls: 'plain' }, c.signs.map((s) => h('li', {}, h('a', { href: `/signs/${s.id}` }, s.name || s.id), ' ', markBadge(marks(s)[0], s)))),
            h('div', { cls: 'buttons' }, h('button', { type: 'button', cls: 'quiet', onclick: () => close(null) }, say('c.close')))]);
        }
      });
    }
    return g;
  }
}
