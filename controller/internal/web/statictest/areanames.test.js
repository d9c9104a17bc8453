import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './page.js';

const { areaText, covers, depth, inOrder } = await load('areanames.js');

test('an area covers itself and what lies below it', () => {
  assert.ok(covers('quang-ngai', 'quang-ngai'));
  assert.ok(covers('quang-ngai', 'quang-ngai/son-tinh/tinh-phong'));
  assert.ok(!covers('quang-ngai/son-tinh', 'quang-ngai'));
  assert.ok(!covers('quang-ngai', 'quang-ngai-2'), 'a name that only begins alike');
  assert.equal(depth('quang-ngai/son-tinh'), 1);
});

test('areas come by name, each below the one above it', () => {
  const areas = [
    { code: 'b/z', name: 'Ân' }, { code: 'a', name: 'Bình Định' }, { code: 'b', name: 'An Giang' },
    { code: 'a/2', name: 'Xã 10' }, { code: 'a/1', name: 'Xã 9' }, { code: 'c/lost', name: 'Lạc' },
  ];
  assert.deepEqual(inOrder(areas).map((a) => a.code), ['b', 'b/z', 'a', 'a/1', 'a/2', 'c/lost']);
  assert.equal(areas[0].code, 'b/z', 'the list that was given stays');
});

test('an area that is gone names the one in its place', () => {
  const areas = [{ code: 'old', name: 'Cũ', replaced_by: 'new' }, { code: 'new', name: 'Mới' }];
  assert.equal(areaText(areas, 'new'), 'Mới');
  assert.match(areaText(areas, 'old'), /Cũ.*Mới/);
  assert.match(areaText(areas, 'never'), /never/);
});
