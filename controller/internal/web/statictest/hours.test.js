import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './page.js';

const { lanes, spread } = await load('hours.js');

const always = () => true;
const on = (day) => (iso) => iso === day;

test('a window opens on its day', () => {
  assert.deepEqual(spread({}, always, 'b', 'a'), [[0, 1440]]);
  assert.deepEqual(spread({ from: '06:30', until: '22:00' }, always, 'b', 'a'), [[390, 1320]]);
  assert.deepEqual(spread({ from: '06:30', until: '24:00' }, always, 'b', 'a'), [[390, 1440]]);
  assert.deepEqual(spread({ from: '06:30' }, () => false, 'b', 'a'), []);
});

test('a window past midnight opens on two days', () => {
  const night = { from: '22:00', until: '04:00' };
  assert.deepEqual(spread(night, always, 'b', 'a'), [[1320, 1440], [0, 240]]);
  assert.deepEqual(spread(night, on('a'), 'b', 'a'), [[0, 240]], 'the day after the last');
  assert.deepEqual(spread(night, on('b'), 'b', 'a'), [[1320, 1440]], 'the first day');
});

const laid = (...pairs) => {
  const blocks = pairs.map(([from, until]) => ({ from, until }));
  lanes(blocks);
  return blocks.map((b) => [b.from, b.lane, b.of]);
};

test('stretches that overlap stand beside each other', () => {
  assert.deepEqual(laid([0, 60]), [[0, 0, 1]]);
  assert.deepEqual(laid([0, 60], [60, 120]), [[0, 0, 1], [60, 0, 1]], 'they only touch');
  assert.deepEqual(laid([0, 60], [30, 90]), [[0, 0, 2], [30, 1, 2]]);
  assert.deepEqual(laid([30, 90], [0, 60], [60, 120]), [[0, 0, 2], [30, 1, 2], [60, 0, 2]], 'a lane that ended is used again');
  assert.deepEqual(laid([0, 300], [10, 20], [30, 40], [400, 500]), [[0, 0, 2], [10, 1, 2], [30, 1, 2], [400, 0, 1]]);
});
