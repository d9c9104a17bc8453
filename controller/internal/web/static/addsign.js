// @ts-check
// A new sign: its spec, and then its own page, where it is let in.
import { at } from './dom.js';
import './shell.js';
import { specForm } from './specform.js';

at('spec').append(await specForm({ areas: [] }, '', async (answer, body) => {
  location.assign(`/signs/${body.id}`);
}));
