// Faces that live: pictures are fetched when a face is on screen and kept by
// digest, and what has to be drawn shares a few milliseconds of each frame.
import { Face } from './leds.js';

const budget = 6;    // ms of drawing a frame
const mostImages = 300;
const images = new Map(); // key → promise of an ImageBitmap, oldest first

// loadImage fetches a picture once for each key, however many faces show it.
export function loadImage(key, url) {
  if (images.has(key)) {
    const there = images.get(key);
    images.delete(key); // it is the newest now
    images.set(key, there);
    return there;
  }
  if (images.size >= mostImages) images.delete(images.keys().next().value);
  const coming = fetch(url).then((r) => {
    if (!r.ok) throw new Error(`${url}: ${r.status}`);
    return r.blob();
  }).then((b) => createImageBitmap(b)).catch((e) => { images.delete(key); throw e; });
  images.set(key, coming);
  return coming;
}

let skew = 0; // controller's clock minus ours, ms
export const setSkew = (ms) => { skew = ms; };
export const now = () => Date.now() + skew;

const calm = matchMedia('(prefers-reduced-motion: reduce)');
let paused = false;
export const pause = (on) => { paused = on; };
const still = 3000; // ms between jumps of a strip for those who want no motion

const shown = new Set(); // faces on screen
let order = [];
let next = 0;
let running = false;

function frame() {
  const began = performance.now();
  if (order.length !== shown.size) order = [...shown];
  for (let i = 0; i < order.length && performance.now() - began < budget; i++) {
    next = (next + 1) % order.length;
    if (shown.has(order[next])) order[next].tick();
  }
  running = shown.size > 0;
  if (running) requestAnimationFrame(frame);
}

const watch = new IntersectionObserver((entries) => {
  for (const e of entries) {
    if (e.isIntersecting) shown.add(e.target.live);
    else shown.delete(e.target.live);
  }
  order = [...shown];
  if (!running && shown.size) {
    running = true;
    requestAnimationFrame(frame);
  }
});

const sizes = new ResizeObserver((entries) => {
  for (const e of entries) e.target.live.resized = true;
});

// Live draws what a sign says of itself on a canvas: by its program, or its own
// snapshot where that says otherwise. A silent sign keeps its last face.
export class Live {
  constructor(canvas, sign) {
    canvas.live = this;
    this.face = new Face(canvas, sign.w, sign.h, sign.colour, sign.pitch_mm);
    this.canvas = canvas;
    this.dirty = true;
    watch.observe(canvas);
    sizes.observe(canvas);
    this.update(sign);
  }

  update(sign) {
    this.sign = sign;
    this.dirty = true;
  }

  end() {
    watch.unobserve(this.canvas);
    sizes.unobserve(this.canvas);
    shown.delete(this);
  }

  tick() {
    if (this.resized) {
      this.resized = false;
      this.face.measure();
    }
    if (this.dirty && (!this.retry || Date.now() > this.retry)) this.fetch();
    else if (this.image && this.moves()) this.move();
  }

  moves() {
    const { showing, agrees, state } = this.sign;
    return showing && showing.scroll && agrees !== false && state === 'online';
  }

  fetch() {
    this.dirty = false;
    this.retry = 0;
    const { sign } = this;
    const s = sign.showing;
    if (sign.state !== 'online' && this.image) return;
    let key = '';
    let url = '';
    if ((sign.agrees === false || !s) && sign.shot_ms) {
      url = `/api/v1/signs/${sign.id}/snapshot.png?t=${sign.shot_ms}`;
      key = url;
    } else if (s && s.frame) {
      url = `/api/v1/signs/${sign.id}/frames/${s.frame}`;
      key = s.frame;
    }
    this.key = key;
    if (!key) {
      this.image = null;
      this.face.show(null);
      return;
    }
    loadImage(key, url).then((image) => {
      if (this.key !== key) return; // a later one came first
      this.image = image;
      this.at = -1;
      this.move();
    }).catch(() => {
      this.dirty = true;
      this.retry = Date.now() + 2000;
    });
  }

  // move puts the image at its place; for a strip, that of this moment.
  move() {
    const s = this.sign.showing;
    if (!this.moves()) {
      this.face.show(this.image, '', 0, s ? s.percent : 100);
      return;
    }
    const length = s.scroll.axis === 'y' ? this.image.height : this.image.width;
    let moment = now();
    if (paused) moment = this.held = this.held || moment;
    else this.held = 0;
    if (calm.matches) moment -= moment % still;
    const tau = s.tau_ms + (moment - s.at_ms);
    const at = ((Math.floor(tau * s.scroll.px_s / 1000) % length) + length) % length;
    if (at === this.at) return;
    this.at = at;
    this.face.show(this.image, s.scroll.axis, at, s.percent);
  }
}
