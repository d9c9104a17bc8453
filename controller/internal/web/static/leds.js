// @ts-check
// Draws a face as round LEDs. The frame is scaled up without smoothing and a
// mask with a round hole for each LED is laid over it: a few composite
// operations, however many LEDs there are.

const lit = { red: '#ff1800', amber: '#ff9600', green: '#28ff3c', white: '#ffffff' };
const unlit = '#16191d';
const housing = '#07080a';
const mostDots = 2; // device pixels a CSS pixel that are worth drawing

// dot is how much of the way to the next LED one LED fills, as a radius: the
// LEDs of a coarse face stand further apart.
function dot(pitch) {
  if (!pitch) return 0.42;
  return pitch <= 3 ? 0.47 : pitch <= 6 ? 0.43 : pitch <= 10 ? 0.39 : 0.34;
}

const masks = new Map(); // "cell/radius" → OffscreenCanvas

function maskTile(cell, radius) {
  const key = `${cell}/${radius}`;
  if (!masks.has(key)) {
    const tile = new OffscreenCanvas(cell, cell);
    const t = tile.getContext('2d');
    t.fillStyle = housing;
    t.fillRect(0, 0, cell, cell);
    t.globalCompositeOperation = 'destination-out';
    t.beginPath();
    t.arc(cell / 2, cell / 2, cell * (cell < 4 ? 0.5 : radius), 0, 2 * Math.PI);
    t.fill();
    masks.set(key, tile);
  }
  return masks.get(key);
}

export class Face {
  constructor(canvas, w, h, colour, pitch) {
    this.canvas = canvas;
    this.w = w;
    this.h = h;
    this.radius = dot(pitch);
    this.tint = lit[colour] || null;
    this.pixels = new OffscreenCanvas(w, h); // the face, one pixel an LED
    this.image = null;
    this.percent = 100;
  }

  // measure fits the canvas to its width on the page: whole device pixels an
  // LED, so that the dots stay even. Where there are fewer than two, no dots.
  measure() {
    const scale = Math.min(window.devicePixelRatio || 1, mostDots);
    const width = this.canvas.clientWidth || this.w;
    const cell = Math.max(1, Math.floor(width * scale / this.w));
    if (cell === this.cell) return;
    this.cell = cell;
    this.canvas.width = this.w * cell;
    this.canvas.height = this.h * cell;
    this.mask = cell < 2 ? null : this.canvas.getContext('2d').createPattern(maskTile(cell, this.radius), 'repeat');
    this.draw();
  }

  // show sets the picture: an image or bitmap, and for a strip the pixel that
  // the face's first pixel shows.
  show(image, axis, offset, percent) {
    this.image = image;
    this.axis = axis;
    this.offset = offset || 0;
    this.percent = percent === undefined ? 100 : percent;
    this.draw();
  }

  draw() {
    if (!this.cell) {
      this.measure(); // draws
      return;
    }
    const p = this.pixels.getContext('2d');
    p.globalCompositeOperation = 'source-over';
    p.fillStyle = '#000';
    p.fillRect(0, 0, this.w, this.h);
    if (this.image) {
      const x = this.axis === 'x' ? this.offset : 0;
      const y = this.axis === 'y' ? this.offset : 0;
      p.drawImage(this.image, -x, -y);
      if (x > 0) p.drawImage(this.image, this.image.width - x, 0);
      if (y > 0) p.drawImage(this.image, 0, this.image.height - y);
      if (this.tint) {
        p.globalCompositeOperation = 'multiply';
        p.fillStyle = this.tint;
        p.fillRect(0, 0, this.w, this.h);
      }
    }
    const c = this.canvas.getContext('2d');
    const { width, height } = this.canvas;
    c.globalCompositeOperation = 'source-over';
    c.globalAlpha = 1;
    c.imageSmoothingEnabled = false;
    c.drawImage(this.pixels, 0, 0, width, height);
    if (!this.mask) return;
    c.globalCompositeOperation = 'lighten'; // an LED that is off is not black
    c.fillStyle = unlit;
    c.fillRect(0, 0, width, height);
    c.globalCompositeOperation = 'source-over';
    c.fillStyle = this.mask;
    c.fillRect(0, 0, width, height);
    if (this.cell >= 3) { // glow between the LEDs
      c.globalCompositeOperation = 'lighter';
      c.globalAlpha = 0.22;
      c.imageSmoothingEnabled = true;
      c.drawImage(this.pixels, 0, 0, width, height);
      c.globalAlpha = 1;
      c.globalCompositeOperation = 'source-over';
    }
  }
}
