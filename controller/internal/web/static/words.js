// @ts-check
// Words in the reader's language, and times in a sign's zone. The catalogue is
// words.json; a page's part of it comes with the page.
/** @type {Record<string, string>} */
const words = JSON.parse(document.body.dataset.words || '{}');

export const lang = document.documentElement.lang;

// say is the text of a key, with {name} replaced by args.name.
/** @param {string} key @param {Record<string, unknown>} [args] */
export function say(key, args) {
  const text = words[key];
  if (text === undefined) {
    console.error(`no word for ${key}`);
    return key;
  }
  return args ? text.replace(/\{(\w+)\}/g, (all, name) => (name in args ? String(args[name]) : all)) : text;
}

// has reports whether there is such a word: for keys made of what a sign says.
export const has = (/** @type {string} */ key) => key in words;

// both is the reader's text of {vi, en}.
export const both = (/** @type {import('./types').Text | null | undefined} */ text) => (text ? (lang === 'en' ? text.en : text.vi) || text.vi || text.en || '' : '');

export const number = (/** @type {number} */ n, digits = 0) => n.toLocaleString(lang, { maximumFractionDigits: digits });

// zoneName is how a zone is written beside a time: a time without its zone says
// nothing to somebody who is elsewhere.
/** @param {string} zone @param {number} [at] Unix ms */
export function zoneName(zone, at = Date.now()) {
  const part = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'shortOffset' }).formatToParts(at).find((p) => p.type === 'timeZoneName');
  const city = zone.slice(zone.lastIndexOf('/') + 1).replaceAll('_', ' ');
  return `${zone === 'Asia/Ho_Chi_Minh' ? say('c.vietnam') : city} (${(part?.value || '').replace('GMT', 'UTC')})`;
}

/** @type {(ms: number, zone: string, options: Intl.DateTimeFormatOptions) => string} */
const format = (ms, zone, options) => new Intl.DateTimeFormat(lang === 'vi' ? 'vi-VN' : 'en-GB', { timeZone: zone, hourCycle: 'h23', ...options }).format(ms);

/** @type {(ms: number, zone: string) => string} */
export const clock = (ms, zone) => format(ms, zone, { hour: '2-digit', minute: '2-digit' });
/** @type {(ms: number, zone: string) => string} */
export const clockSeconds = (ms, zone) => format(ms, zone, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
/** @type {(ms: number, zone: string) => string} */
export const dateOf = (ms, zone) => format(ms, zone, { day: '2-digit', month: '2-digit', year: 'numeric' });

// moment is a whole time: date, clock and zone.
/** @type {(ms: number, zone: string) => string} */
export const moment = (ms, zone) => `${dateOf(ms, zone)} ${clockSeconds(ms, zone)}, ${zoneName(zone, ms)}`;

// isoDate is the day at ms in a zone, as YYYY-MM-DD.
/** @param {number} ms @param {string} zone */
export function isoDate(ms, zone) {
  const p = Object.fromEntries(new Intl.DateTimeFormat('en-GB', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(ms).map((x) => [x.type, x.value]));
  return `${p.year}-${p.month}-${p.day}`;
}

// plainDate writes YYYY-MM-DD as people do here.
/** @param {string} iso */
export function plainDate(iso) {
  const [y, m, d] = iso.split('-');
  return `${d}/${m}/${y}`;
}

// addDays counts days on the calendar, never hours.
/** @param {string} iso @param {number} n */
export function addDays(iso, n) {
  const d = new Date(`${iso}T00:00:00Z`);
  d.setUTCDate(d.getUTCDate() + n);
  return d.toISOString().slice(0, 10);
}

// weekday of YYYY-MM-DD: 0 is Monday.
export const weekday = (/** @type {string} */ iso) => (new Date(`${iso}T00:00:00Z`).getUTCDay() + 6) % 7;

// instant is the moment at which a zone's clocks show a date and HH:MM.
/** @param {string} iso @param {string} hhmm @param {string} zone @returns {number} Unix ms */
export function instant(iso, hhmm, zone) {
  const wanted = Date.parse(`${iso}T${hhmm}:00Z`);
  let ms = wanted;
  for (let i = 0; i < 3; i++) {
    const p = Object.fromEntries(new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' }).formatToParts(ms).map((x) => [x.type, x.value]));
    const shown = Date.parse(`${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}:${p.second}Z`);
    ms += wanted - shown;
  }
  return ms;
}

// lasting is a length of time, in its two largest units.
/** @param {number} seconds */
export function lasting(seconds) {
  const s = Math.round(seconds);
  if (s < 60) return say('c.for_s', { n: s });
  const m = Math.round(s / 60);
  /** @type {[string, number][]} */
  const units = [['d', Math.floor(m / 1440)], ['h', Math.floor(m % 1440 / 60)], ['m', m % 60]];
  const first = units.findIndex(([, n]) => n > 0);
  return units.slice(first, first + 2).filter(([, n]) => n > 0).map(([u, n]) => say(`c.for_${u}`, { n: number(n) })).join(' ');
}

// ago is how long since, in words.
/** @param {number} seconds */
export function ago(seconds) {
  if (seconds < 2) return say('c.ago_now');
  if (seconds < 90) return say('c.ago_s', { n: Math.round(seconds) });
  if (seconds < 5400) return say('c.ago_m', { n: Math.round(seconds / 60) });
  if (seconds < 172800) return say('c.ago_h', { n: Math.round(seconds / 3600) });
  return say('c.ago_d', { n: Math.round(seconds / 86400) });
}
