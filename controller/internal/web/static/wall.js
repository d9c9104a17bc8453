// The wall: every sign's face, live from the controller's events. What a sign
// says of itself decides what is drawn; a sign that falls silent goes stale.
import { Face } from './leds.js';

const words = JSON.parse(document.body.dataset.words);
const say = (key, n) => (words[key] || key).replace('%n', n);
const wall = document.getElementById('wall');
const link = document.getElementById('link');
const cards = new Map();
const images = new Map(); // url → promise of an ImageBitmap

let skew = 0;      // controller's clock minus ours, ms
let lastEvent = 0; // ours
let connected = false;

function loadImage(url) {
  if (!images.has(url)) {
    if (images.size > 400) images.delete(images.keys().next().value);
    images.set(url, fetch(url).then((r) => {
      if (!r.ok) throw new Error(`${url}: ${r.status}`);
      return r.blob();
    }).then((b) => createImageBitmap(b)).catch((e) => { images.delete(url); throw e; }));
  }
  return images.get(url);
}

function element(tag, cls, parent) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (parent) parent.append(e);
  return e;
}

class Card {
  constructor(sign) {
    this.id = sign.id;
    this.root = element('article', 'sign');
    this.root.id = `sign-${sign.id}`;
    const head = element('header', '', this.root);
    this.name = element('h2', '', head);
    this.badge = element('span', 'badge', head);
    const frame = element('div', 'face', this.root);
    this.canvas = element('canvas', '', frame);
    this.canvas.setAttribute('role', 'img');
    this.veil = element('p', 'veil', frame);
    const list = element('dl', '', this.root);
    this.field = {};
    for (const key of ['shows', 'why', 'heard', 'program']) {
      const row = element('div', '', list);
      element('dt', '', row).textContent = say(key);
      this.field[key] = element('dd', '', row);
    }
    this.notes = element('p', 'notes', this.root);
    // A face keeps its shape; the smallest are not blown up to the largest.
    this.root.style.setProperty('--ratio', `${sign.w} / ${sign.h}`);
    wall.append(this.root);
    this.face = new Face(this.canvas, sign.w, sign.h, sign.colour);
    this.update(sign);
  }

  update(sign) {
    this.sign = sign;
    this.root.dataset.state = sign.state;
    this.name.textContent = sign.name || sign.id;
    this.badge.textContent = say(`state_${sign.state}`);
    const s = sign.showing;
    let title = say('unknown');
    let why = sign.said ? say(`why_${sign.said.why}`) : say('unknown');
    if (s) {
      title = s.frame ? `${s.title || s.item}` : say('dark');
      why = say(`why_${s.why}`);
      if (s.rule === 'default') why += ` – ${say('rule_default')}`;
      else if (s.rule && s.rule.startsWith('playlist:')) why += ` – ${say('rule_playlist', s.rule.slice(9))}`;
    } else if (sign.said && sign.said.item) {
      title = sign.said.item;
    }
    if (sign.state !== 'online') { // what it shows now nobody knows
      title = say('unknown');
      why = say('unknown');
    }
    this.field.shows.textContent = title;
    this.field.shows.title = s ? s.item : '';
    this.field.why.textContent = why;
    this.canvas.setAttribute('aria-label', `${sign.name || sign.id}: ${title}`);
    const notes = [`${sign.id} · ${sign.class} · ${sign.owner_name || sign.owner}`];
    if (sign.mode === 'picture') notes.push(say('unprotected'));
    if (sign.test) notes.push(say('test_sign'));
    if (sign.clock === 'untrusted' && sign.mode !== 'picture') notes.push(say('clock_untrusted'));
    if (sign.faults) notes.push(`${say('faults')}: ${sign.faults.join(', ')}`);
    if (sign.problem) notes.push(sign.problem);
    this.notes.textContent = notes.join(' · ');
    this.notes.title = sign.mode === 'picture' ? say('unprotected_help') : '';
    let program = say('waiting');
    if (sign.mode !== 'picture' && sign.wanted && sign.seq !== sign.wanted) program = say('behind');
    else if (sign.agrees === true) program = say('verified');
    else if (sign.agrees === false) program = say('differs');
    this.field.program.textContent = program;
    this.root.classList.toggle('differs', sign.agrees === false);
    this.draw();
    this.age();
  }

  // draw shows what the sign says: by its program, or its own snapshot where
  // that says otherwise. A silent sign keeps the last face, under a veil.
  draw() {
    const { sign } = this;
    if (sign.state !== 'online') return;
    const s = sign.showing;
    let url = '';
    if (sign.agrees === false || !s) {
      if (sign.shot_ms) url = `/api/v1/signs/${sign.id}/snapshot.png?t=${sign.shot_ms}`;
    } else if (s.frame) {
      url = `/api/v1/signs/${sign.id}/frames/${s.frame}`;
    }
    this.url = url;
    if (!url) {
      this.face.show(null);
      return;
    }
    loadImage(url).then((image) => {
      if (this.url !== url) return; // a later one came first
      this.image = image;
      this.move();
    }).catch(() => { this.retry = Date.now() + 2000; });
  }

  // move puts the image at its place; for a strip, that of this moment.
  move() {
    const s = this.sign.showing;
    if (!s || !s.scroll || this.sign.agrees === false) {
      this.face.show(this.image, '', 0, s ? s.percent : 100);
      return;
    }
    const length = s.scroll.axis === 'y' ? this.image.height : this.image.width;
    const tau = s.tau_ms + (Date.now() + skew - s.at_ms);
    const at = Math.floor(tau * s.scroll.px_s / 1000) % length;
    this.face.show(this.image, s.scroll.axis, (at + length) % length, s.percent);
  }

  age() {
    const { sign } = this;
    const seconds = sign.heard_ms ? Math.max(0, Math.round((Date.now() + skew - sign.heard_ms) / 1000)) : -1;
    const text = seconds < 0 ? say('unknown')
      : seconds < 2 ? say('ago_now')
        : seconds < 90 ? say('ago_s', seconds)
          : seconds < 5400 ? say('ago_m', Math.round(seconds / 60)) : say('ago_h', Math.round(seconds / 3600));
    this.field.heard.textContent = text;
    const veiled = sign.state !== 'online' || !connected;
    const key = sign.state === 'online' ? 'stale' : sign.state;
    this.veil.textContent = veiled ? `${say(`${key}_face`)}${seconds >= 0 ? ` · ${text}` : ''}` : '';
    this.root.classList.toggle('veiled', veiled);
    if (this.retry && Date.now() > this.retry) {
      this.retry = 0;
      this.draw();
    }
  }
}

function setLink(state) {
  connected = state === 'live';
  link.textContent = say(state);
  link.dataset.state = state;
  for (const card of cards.values()) card.age();
}

const source = new EventSource('/api/v1/events');
source.addEventListener('sign', (e) => {
  const { now_ms: now, sign } = JSON.parse(e.data);
  skew = now - Date.now();
  lastEvent = Date.now();
  wall.removeAttribute('aria-busy');
  const card = cards.get(sign.id);
  if (card) card.update(sign);
  else cards.set(sign.id, new Card(sign));
  if (!connected) setLink('live');
});
source.addEventListener('alive', () => { lastEvent = Date.now(); });
source.addEventListener('open', () => { lastEvent = Date.now(); setLink('live'); });
source.addEventListener('error', () => setLink('lost'));

setInterval(() => {
  if (connected && Date.now() - lastEvent > 20000) setLink('lost');
  for (const card of cards.values()) card.age();
}, 1000);

let pending = false;
new ResizeObserver(() => {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => {
    pending = false;
    for (const card of cards.values()) card.face.measure();
  });
}).observe(wall);

function scrolls() {
  for (const card of cards.values()) {
    if (card.image && connected && card.sign.state === 'online' && card.sign.showing && card.sign.showing.scroll) card.move();
  }
  requestAnimationFrame(scrolls);
}
requestAnimationFrame(scrolls);
