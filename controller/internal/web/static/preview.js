// @ts-check
// A message's frames as LEDs, as one types, for the classes that one chose.
import { Problem } from './api.js';
import { h, problemText } from './dom.js';
import { Face } from './leds.js';
import { both, number, say } from './words.js';

const wait = 250; // ms after the last key
const calm = matchMedia('(prefers-reduced-motion: reduce)');

function size(name) {
  const [, w, hh, colour] = /^(\d+)x(\d+)-(\w+)$/.exec(name);
  return { w: Number(w), h: Number(hh), colour };
}

async function bitmap(step) {
  const bytes = Uint8Array.from(atob(step.png), (c) => c.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: step.type || 'image/png' }));
}

let strips = [];
let running = false;
function run(now) {
  strips = strips.filter((s) => s.canvas.isConnected);
  for (const s of strips) {
    const length = s.scroll.axis === 'y' ? s.image.height : s.image.width;
    const t = calm.matches ? now - now % 3000 : now;
    const at = Math.floor(t * s.scroll.px_s / 1000) % length;
    if (at !== s.at) s.face.show(s.image, s.scroll.axis, at, 100);
    s.at = at;
  }
  running = strips.length > 0;
  if (running) requestAnimationFrame(run);
}

/** @type {WeakMap<Element, Face>} */
const faces = new WeakMap();
const sizes = new ResizeObserver((entries) => { for (const e of entries) faces.get(e.target)?.measure(); });

// stepView draws one page or strip.
export function stepView(classOf, step, label, small) {
  const c = size(classOf);
  const canvas = h('canvas', { cls: 'led', role: 'img', 'aria-label': label, css: { '--ratio': `${c.w} / ${c.h}`, '--shape': Math.min(1, c.w / c.h / 1.2) } });
  const face = new Face(canvas, c.w, c.h, c.colour);
  faces.set(canvas, face);
  sizes.observe(canvas);
  bitmap(step).then((image) => {
    face.show(image, '', 0, 100);
    if (!step.scroll) return;
    strips.push({ canvas, face, image, scroll: step.scroll, at: -1 });
    if (!running) {
      running = true;
      requestAnimationFrame(run);
    }
  });
  return h('div', { cls: small ? 'step small' : 'step' }, canvas);
}

export class Preview {
  // found is told the findings of each answer.
  constructor(box, owner, found) {
    this.box = box;
    this.owner = owner;
    this.found = found;
    this.serial = 0;
  }

  // show asks for a drawing of message on classes, soon; a later call, or a
  // later answer, makes it void.
  show(message, classes) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(message, classes), wait);
  }

  async ask(message, classes) {
    const mine = ++this.serial;
    this.abort?.abort();
    this.abort = new AbortController();
    const says = [...(message.variants || []).flatMap((v) => [v.headline, v.body, v.caption]), message.qr, message.address, message.image?.media];
    if (!classes.length || !says.some((s) => s && s.trim())) {
      this.box.replaceChildren(h('p', { cls: 'hint' }, say(classes.length ? 'msg.preview_empty' : 'msg.preview_no_class')));
      this.found([]);
      return;
    }
    this.box.setAttribute('aria-busy', 'true');
    try {
      const r = await fetch(`/api/v1/owners/${this.owner}/preview`, { method: 'POST', signal: this.abort.signal, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ message, classes }) });
      const answer = await r.json();
      if (mine !== this.serial) return;
      if (!r.ok) throw new Problem(r.status, answer);
      this.draw(answer.looks);
    } catch (e) {
      if (e.name === 'AbortError' || mine !== this.serial) return;
      this.box.replaceChildren(h('p', { cls: 'problem' }, problemText(e instanceof Problem ? e : new Problem(0, {}))));
      this.found([]);
    } finally {
      if (mine === this.serial) this.box.removeAttribute('aria-busy');
    }
  }

  draw(looks) {
    this.box.replaceChildren(...looks.map((look) => {
      const steps = look.steps || [];
      const long = steps.reduce((t, s) => t + s.ms, 0) / 1000;
      return h('div', { cls: 'look' }, h('figure', {},
        h('div', { cls: 'steps' }, steps.map((s, i) => stepView(look.class, s, say('msg.step', { n: i + 1, of: steps.length, class: look.class }), steps.length > 1))),
        h('figcaption', {}, h('strong', {}, look.class), steps.length ? h('span', {}, say(steps[0].scroll ? 'msg.strip' : 'msg.pages', { n: steps.length, s: number(long, 1) })) : null)),
      look.error ? h('p', { cls: 'problem' }, problemText(Object.assign(new Problem(look.error.status, look.error)))) : null);
    }));
    this.found(looks.flatMap((l) => (l.findings || []).map((f) => ({ ...f, class: f.class || l.class }))));
  }
}

// findingList shows findings, the same one of several classes once.
/** @param {(import('./types').Finding & {classes?: string[]})[]} findings */
export function findingList(findings) {
  /** @type {Map<string, import('./types').Finding & {classes: string[]}>} */
  const by = new Map();
  for (const f of findings) {
    const key = both(f.text);
    const x = by.get(key) || { ...f, classes: [] };
    x.classes.push(f.class || '');
    by.set(key, x);
  }
  return [...by.values()].map((f) => h('div', { cls: `finding ${f.level}` },
    h('strong', {}, say(f.level === 'refuse' ? 'msg.finding_refuse' : 'msg.finding_warn')),
    ` ${f.classes.join(', ')}: ${both(f.text)}`,
    f.remedy && both(f.remedy) ? h('div', { cls: 'hint' }, both(f.remedy)) : null));
}
