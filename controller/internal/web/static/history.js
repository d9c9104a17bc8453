// @ts-check
// Undo and redo of what is not saved yet: whole states, as they are small.
const most = 100;

export class History {
  // apply shows a state again.
  constructor(state, apply) {
    this.apply = apply;
    this.begin(state);
  }

  begin(state) {
    this.states = [JSON.stringify(state)];
    this.at = 0;
    this.saved = this.states[0];
  }

  get now() { return JSON.parse(this.states[this.at]); }

  get dirty() { return this.states[this.at] !== this.saved; }

  get undoable() { return this.at > 0; }

  get redoable() { return this.at < this.states.length - 1; }

  // add is a new state. Typing in one field is one step: steps of the same
  // name that follow each other are one.
  add(state, name = '') {
    const text = JSON.stringify(state);
    if (text === this.states[this.at]) return;
    this.states.length = this.at + 1;
    if (name && name === this.name && this.at > 0) this.states[this.at] = text;
    else this.states.push(text);
    if (this.states.length > most) this.states.shift();
    this.at = this.states.length - 1;
    this.name = name;
  }

  step(by) {
    const to = this.at + by;
    if (to < 0 || to >= this.states.length) return;
    this.at = to;
    this.name = '';
    this.apply(this.now);
  }

  undo() { this.step(-1); }

  redo() { this.step(1); }
}
