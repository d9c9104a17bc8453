// @ts-check
// Saving without overwriting: a write names the version that it is based on,
// and where somebody was faster both versions are shown.
import { read, put, Problem } from './api.js';
import { dialog, h } from './dom.js';
import { diff, diffTable } from './diff.js';
import { say } from './words.js';

// save writes body over the version etag ('' for a new thing). It answers
// {etag, data, status}; {theirs, etag} when the other version is taken; null
// when neither is, and the work goes on. A new thing whose id a person chose
// (named) was not changed by anybody meanwhile: the id is taken.
/**
 * @param {string} path @param {any} body @param {string} etag @param {string} [readPath] @param {boolean} [named]
 * @returns {Promise<{etag: string, data?: any, theirs?: any, status?: number} | null>}
 */
export async function save(path, body, etag, readPath = path, named = false) {
  try {
    const done = await put(path, body, etag ? { etag } : { absent: true });
    return { ...done, data: done.data };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (named && !etag && (problem.conflict || problem.status === 404)) throw new Problem(422, { field: 'id', title: say('c.taken', { id: body.id }) }); // another's is not there for us
    if (!problem.conflict) throw problem;
    let theirs;
    try {
      theirs = await read(readPath);
    } catch (gone) {
      if (gone.status === 404 && !etag) throw problem;
      if (gone.status === 404) throw new Problem(412, { title: say('c.deleted_meanwhile') });
      throw gone;
    }
    const choice = await dialog(say('c.conflict'), (close) => [h('p', {}, say('c.conflict_text')), diffTable(diff(theirs.data, body), say('c.theirs'), say('c.mine')),
      h('div', { cls: 'buttons' }, h('button', { type: 'button', cls: 'main', onclick: () => close('theirs') }, say('c.take_theirs')),
        h('button', { type: 'button', cls: 'danger', onclick: () => close('mine') }, say('c.keep_mine')),
        h('button', { type: 'button', cls: 'quiet', onclick: () => close(null) }, say('c.go_on')))]);
    if (choice === 'theirs') return { theirs: theirs.data, etag: theirs.etag };
    if (choice === 'mine') return save(path, body, theirs.etag, readPath); // over what was shown, nothing newer
    return null;
  }
}
