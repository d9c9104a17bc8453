import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './page.js';

// A document of which only what a grid uses is there.
class Element {
  constructor() {
    this.children = [];
    this.attributes = {};
    this.style = { setProperty: (k, v) => { this.style[k] = v; }, removeProperty: (k) => { delete this.style[k]; } };
  }

  append(...children) { for (const c of children) this.children.push(...(c.fragment ? c.children : [c])); }
  replaceChildren(...children) { this.children = []; this.append(...children); }
  setAttribute(name, value) { this.attributes[name] = value; }
  contains(other) { return other === this || this.children.some((c) => c.contains(other)); }
}

let seen; // tells the grid what came near
globalThis.IntersectionObserver = class {
  constructor(f) { seen = f; }
  observe() {}
  unobserve() {}
};
globalThis.ResizeObserver = class { observe() {} };
globalThis.requestAnimationFrame = (f) => f();

const { Grid } = await load('grid.js');
Object.assign(globalThis.document, {
  activeElement: null,
  createElement: () => new Element(),
  createDocumentFragment: () => Object.assign(new Element(), { fragment: true }),
});

function world(n, width) {
  const root = Object.assign(new Element(), { clientWidth: width });
  const ended = [];
  const grid = new Grid(root, (thing) => ({ root: new Element(), update(t) { thing = t; }, end() { ended.push(thing.id); } }), 340);
  grid.show(Array.from({ length: n }, (_, i) => ({ id: `s${i}` })));
  const turn = (row, near) => seen([{ target: root.children[row], isIntersecting: near, boundingClientRect: { height: 300 } }]);
  return { root, grid, ended, turn };
}

test('as many cards lie in a row as have room', () => {
  const { root, grid } = world(10, 1100); // 3 of 340 px with gaps of 16
  assert.equal(grid.columns(), 3);
  assert.equal(root.children.length, 4);
  root.clientWidth = 100;
  assert.equal(grid.columns(), 1);
});

test('only rows near the screen are built', () => {
  const { root, grid, ended, turn } = world(10, 1100);
  assert.equal(grid.cards.size, 0);
  turn(1, true);
  assert.deepEqual([...grid.cards.keys()], ['s3', 's4', 's5']);
  assert.deepEqual(root.children[1].children.map((c) => c.attributes['aria-posinset']), ['4', '5', '6']);
  assert.equal(root.children[1].children[0].attributes['aria-setsize'], '10');
  turn(1, false);
  assert.equal(grid.cards.size, 0);
  assert.deepEqual(ended, ['s3', 's4', 's5']);
  assert.equal(root.children[1].style.height, '300px', 'the empty row keeps its height');
});

test('a row with the focus stays', () => {
  const { root, grid, turn } = world(3, 1100);
  turn(0, true);
  document.activeElement = root.children[0].children[1];
  turn(0, false);
  assert.equal(grid.cards.size, 3);
  document.activeElement = null;
});

test('the same list is not laid anew, another one is', () => {
  const { root, grid, ended, turn } = world(4, 1100);
  turn(0, true);
  grid.show(['s0', 's1', 's2', 's3'].map((id) => ({ id, seq: 2 })));
  assert.deepEqual([grid.cards.size, ended.length], [3, 0]);
  grid.show([{ id: 's9' }]);
  assert.deepEqual([grid.cards.size, ended.length, root.children.length], [0, 3, 1]);
});
