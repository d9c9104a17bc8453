// The parts of a page that modules need when they are loaded: its language and
// its words. Import a module with load, after the page is set.
import { readFileSync } from 'node:fs';

const catalogue = JSON.parse(readFileSync(new URL('../words.json', import.meta.url), 'utf8'));

// load imports a module of static/ as a page in a language does.
export function load(module, lang = 'vi') {
  const words = Object.fromEntries(Object.entries(catalogue).map(([key, texts]) => [key, texts[lang]]));
  globalThis.document = { body: { dataset: { words: JSON.stringify(words) } }, documentElement: { lang } };
  return import(`../static/${module}?${lang}`);
}
