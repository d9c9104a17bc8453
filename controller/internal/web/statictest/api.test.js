import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { load } from './page.js';

const { fresh, get, items, Problem, put, slug } = await load('api.js');

let asked = [];
let answer;
beforeEach(() => {
  asked = [];
  globalThis.fetch = async (path, options) => {
    asked.push({ path, ...options });
    return answer();
  };
});

const json = (status, body, headers = {}) => () => new Response(body === undefined ? null : JSON.stringify(body), { status, headers });

test('an id is made of what people write', () => {
  assert.equal(slug('Chúc mừng năm mới 2021!', 'x'), 'chuc-mung-nam-moi-2021');
  assert.equal(slug('Đường Điện Biên Phủ', 'x'), 'duong-dien-bien-phu');
  assert.equal(slug('☃', 'tin-moi'), 'tin-moi');
  const long = slug('một hai ba bốn năm sáu bảy tám chín mười mười một', 'x');
  assert.ok(long.length <= 40 && !long.endsWith('-'), long);
});

test('an id that is taken gets a number', () => {
  assert.equal(fresh('tet', []), 'tet');
  assert.equal(fresh('tet', ['tet', 'tet-2']), 'tet-3');
});

test('a list is its items', async () => {
  answer = json(200, { items: [{ id: 'a' }] });
  assert.deepEqual(await items('/api/v1/areas'), [{ id: 'a' }]);
  answer = json(204);
  assert.equal(await get('/api/v1/signs/a/pending'), null);
});

test('a write names the version that it is based on', async () => {
  answer = json(200, { id: 'a' }, { ETag: '"4"' });
  const done = await put('/api/v1/areas/a', { code: 'a' }, { etag: '"3"' });
  assert.deepEqual([done.etag, done.status, done.data], ['"4"', 200, { id: 'a' }]);
  assert.deepEqual(asked[0].headers, { 'Content-Type': 'application/json', 'If-Match': '"3"' });
  await put('/api/v1/areas/a', { code: 'a' }, { absent: true });
  assert.equal(asked[1].headers['If-None-Match'], '*');
});

test('a refusal is a problem in the page\'s language, with its code', async () => {
  answer = json(422, { code: 'unreadable', title: 'cannot be read', remedy: 'Larger.', field: 'messages/a', value: 'far', vi: { title: 'không đọc được', remedy: 'To hơn.', field: 'Tin' } });
  await assert.rejects(put('/api/v1/areas/a', {}), (p) => {
    assert.ok(p instanceof Problem);
    assert.deepEqual([p.status, p.code, p.title, p.remedy, p.field, p.label, p.value, p.conflict],
      [422, 'unreadable', 'không đọc được', 'To hơn.', 'messages/a', 'Tin', 'far', false]);
    return true;
  });
  answer = () => new Response('<html>', { status: 502 });
  await assert.rejects(put('/api/v1/areas/a', {}), { status: 502, code: '' }, 'a proxy\'s page');
  answer = () => { throw new TypeError('no network'); };
  await assert.rejects(put('/api/v1/areas/a', {}), { status: 0 });
});
