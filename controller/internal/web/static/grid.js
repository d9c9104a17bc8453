// @ts-check
// A grid of any length of which only what is near the screen is built. Rows lie
// in the page's own flow, so text may take the room it needs: a row that is not
// built is an empty box of the height it had.

const near = '700px';
const budget = 8; // ms of building a frame

/**
 * @typedef {{id: string}} Thing
 * @typedef {{root: HTMLElement, update(thing: any): void, end(): void}} Card
 * @typedef {{element: HTMLElement, ids: string[], first: number, built: boolean, near?: boolean, height?: number}} Row
 */

export class Grid {
  // make builds the card of a thing: {root, update(thing), end()}.
  /** @param {HTMLElement} root @param {(thing: any) => Card} make @param {number} least */
  constructor(root, make, least) {
    this.root = root;
    this.make = make;
    this.least = least; // width of a card, px
    this.across = 1; // cards in a row
    this.working = false;
    /** @type {Row[]} */
    this.rows = [];
    /** @type {Map<Element, Row>} */
    this.rowOf = new Map();
    /** @type {Map<string, Card>} */
    this.cards = new Map(); // id → card, those that are built
    /** @type {Map<string, Thing>} */
    this.things = new Map();
    /** @type {Thing[]} */
    this.list = [];
    this.height = 420;
    /** @type {Set<Row>} */
    this.due = new Set(); // rows that came near or went away
    this.observer = new IntersectionObserver((entries) => {
      for (const e of entries) {
        const row = this.rowOf.get(e.target);
        if (!row) continue;
        row.near = e.isIntersecting;
        row.height = e.boundingClientRect.height;
        this.due.add(row);
      }
      this.work();
    }, { rootMargin: near });
    new ResizeObserver(() => {
      if (this.columns() !== this.across) this.lay(this.list);
    }).observe(root);
  }

  // work builds and clears what is due, a few milliseconds a frame.
  work() {
    if (this.working) return;
    const began = performance.now();
    for (const row of this.due) {
      this.due.delete(row);
      if (row.near) this.build(row);
      else this.clear(row, row.height || 0);
      if (performance.now() - began > budget) break;
    }
    if (!this.due.size) return;
    this.working = true;
    requestAnimationFrame(() => {
      this.working = false;
      this.work();
    });
  }

  columns() { return Math.max(1, Math.floor((this.root.clientWidth + 16) / (this.least + 16))); }

  // show lays out the things of a list, each with an id.
  /** @param {Thing[]} list */
  show(list) {
    const same = list.length === this.list.length && list.every((x, i) => x.id === this.list[i].id);
    for (const x of list) this.things.set(x.id, x);
    if (!same) this.lay(list);
  }

  /** @param {Thing[]} list */
  lay(list) {
    this.list = list;
    this.across = this.columns();
    for (const card of this.cards.values()) card.end();
    this.cards.clear();
    for (const row of this.rows) this.observer.unobserve(row.element);
    this.rows = [];
    this.rowOf.clear();
    this.due.clear();
    const all = document.createDocumentFragment();
    for (let i = 0; i < list.length; i += this.across) {
      const element = document.createElement('div');
      element.className = 'grid-row';
      element.setAttribute('role', 'presentation');
      element.style.setProperty('--across', String(this.across));
      element.style.setProperty('height', `${this.height}px`);
      const row = { element, ids: list.slice(i, i + this.across).map((x) => x.id), first: i, built: false };
      this.rowOf.set(element, row);
      this.rows.push(row);
      all.append(element);
    }
    this.root.replaceChildren(all);
    for (const row of this.rows) this.observer.observe(row.element);
  }

  /** @param {Row} row */
  build(row) {
    if (row.built) return;
    row.built = true;
    row.ids.forEach((id, i) => {
      const card = this.make(this.things.get(id));
      card.root.setAttribute('aria-posinset', String(row.first + i + 1));
      card.root.setAttribute('aria-setsize', String(this.list.length));
      this.cards.set(id, card);
      row.element.append(card.root);
    });
    row.element.style.removeProperty('height');
  }

  /** @param {Row} row @param {number} height px; 0 where it is not known */
  clear(row, height) {
    if (!row.built || row.element.contains(document.activeElement)) return;
    row.built = false;
    if (height > 0) this.height = height;
    row.element.style.setProperty('height', `${height || this.height}px`);
    for (const id of row.ids) {
      this.cards.get(id)?.end();
      this.cards.delete(id);
    }
    row.element.replaceChildren();
  }

  /** @param {Thing} thing */
  update(thing) {
    this.things.set(thing.id, thing);
    this.cards.get(thing.id)?.update(thing);
  }
}
