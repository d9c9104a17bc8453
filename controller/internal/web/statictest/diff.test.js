import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './page.js';

const { diff } = await load('diff.js');

test('what differs is named by its path', () => {
  assert.deepEqual(
    diff({ id: 'a', variants: [{ lang: 'vi', body: 'Một' }], weight: 2 }, { id: 'a', variants: [{ lang: 'vi', body: 'Hai' }, { lang: 'en' }] }),
    [
      { path: 'variants[1].body', before: 'Một', after: 'Hai' },
      { path: 'weight', before: '2', after: '' },
      { path: 'variants[2].lang', before: '', after: 'en' },
    ],
  );
});

test('nothing, null and an empty text are the same', () => {
  assert.deepEqual(diff({ a: null, b: '', c: [] }, {}), []);
  assert.deepEqual(diff(null, { a: 0, b: false }), [{ path: 'a', before: '', after: '0' }, { path: 'b', before: '', after: 'false' }]);
});
