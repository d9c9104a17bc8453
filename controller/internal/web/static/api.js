// @ts-check
// The API as pages use it: JSON, versions, problem documents.
import { lang } from './words.js';

// Problem is what the API answers when it refuses (RFC 9457), or status 0 when
// it does not answer. Its texts are in the page's language.
export class Problem extends Error {
  /** @param {number} status @param {Partial<import('./types').Problem>} doc */
  constructor(status, doc) {
    super(doc.detail || doc.title || String(status));
    this.status = status;
    this.code = doc.code || ''; // what is wrong, for programs; '' without an answer
    /** @type {Partial<import('./types').Reason>} */
    const own = (lang === 'vi' && doc.vi) || {};
    this.title = own.title || doc.title || '';
    this.field = doc.field || '';
    this.label = own.field || ''; // what people call the field
    this.value = doc.value || '';
    this.remedy = own.remedy || doc.remedy || '';
  }

  // conflict: somebody changed it meanwhile.
  get conflict() { return this.status === 412; }
}

/** @param {Response} answer */
async function refuse(answer) {
  let doc = {};
  try {
    doc = await answer.json();
  } catch { /* a proxy's page, not ours */ }
  return new Problem(answer.status, doc);
}

export function toSignIn() {
  location.assign(`/signin?next=${encodeURIComponent(location.pathname + location.search)}`);
}

// request answers {data, etag, status}. Nobody known: a page that only reads
// goes to the sign-in page; one that writes keeps what was typed, and says so.
/**
 * @template T
 * @typedef {{data: T, etag: string, status: number}} Found
 */

/**
 * @typedef {{etag?: string, absent?: boolean}} Condition
 * @param {string} method
 * @param {string} path
 * @param {Condition & {body?: unknown, raw?: boolean}} [options]
 * @returns {Promise<Found<any>>}
 */
export async function request(method, path, { body, etag, absent, raw } = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (etag) headers['If-Match'] = etag;
  if (absent) headers['If-None-Match'] = '*';
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Problem(0, {});
  }
  if (answer.status === 401 && method === 'GET') {
    toSignIn();
    return new Promise(() => {}); // the page is leaving
  }
  if (!answer.ok) throw await refuse(answer);
  /** @type {Found<any>} */
  const out = { etag: answer.headers.get('ETag') || '', status: answer.status, data: null };
  if (raw) out.data = await answer.blob();
  else if (answer.status !== 204) {
    const text = await answer.text();
    out.data = text ? JSON.parse(text) : null;
  }
  return out;
}

/** @type {<const P extends string>(path: P) => Promise<Found<import('./paths').Answer<'GET', P>>>} */
export const read = (path) => request('GET', path);
/** @type {<const P extends string>(path: P) => Promise<import('./paths').Answer<'GET', P>>} */
export const get = async (path) => (await request('GET', path)).data;
/** @type {<const P extends string>(path: P) => Promise<import('./paths').Items<P>>} */
export const items = async (path) => (await request('GET', path)).data.items;
/**
 * @type {<const P extends string>(path: P, body: import('./paths').Body<'PUT', P>, condition?: Condition) =>
 *   Promise<Found<import('./paths').Answer<'PUT', P>>>}
 */
export const put = (path, body, condition) => request('PUT', path, { body, ...condition });
/** @type {<const P extends string>(path: P, body?: import('./paths').Body<'POST', P>) => Promise<import('./paths').Answer<'POST', P>>} */
export const post = async (path, body) => (await request('POST', path, { body: body === undefined ? {} : body })).data;
/** @type {(path: string, condition?: Condition) => ReturnType<typeof request>} */
export const remove = (path, condition) => request('DELETE', path, condition);

// upload sends a file and tells how far it is, from 0 to 1: fetch cannot.
/**
 * @param {string} path @param {File} file @param {(part: number) => void} progress
 * @returns {Promise<import('./types').Medium>}
 */
export function upload(path, file, progress) {
  return new Promise((resolve, reject) => {
    const x = new XMLHttpRequest();
    x.open('PUT', path);
    x.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    x.setRequestHeader('If-None-Match', '*');
    x.responseType = 'json';
    x.upload.addEventListener('progress', (e) => { if (e.lengthComputable) progress(e.loaded / e.total); });
    x.addEventListener('load', () => (x.status < 300 ? resolve(x.response) : reject(new Problem(x.status, x.response || {}))));
    x.addEventListener('error', () => reject(new Problem(0, {})));
    x.send(file);
  });
}

// slug makes an id of what people write: "Chúc mừng năm mới" → "chuc-mung-nam-moi".
/** @param {string} text @param {string} otherwise */
export function slug(text, otherwise) {
  const s = text.toLowerCase().replaceAll('đ', 'd').normalize('NFD').replace(/[\u0300-\u036f]/g, '').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40).replace(/-+$/, '');
  return s.length >= 2 ? s : otherwise;
}

// fresh is the slug, with a number behind it where it is taken.
/** @param {string} id @param {string[]} taken @returns {string} */
export function fresh(id, taken) {
  if (!taken.includes(id)) return id;
  for (let n = 2; ; n++) if (!taken.includes(`${id}-${n}`)) return `${id}-${n}`;
}
