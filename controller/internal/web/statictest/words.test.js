import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './page.js';

const { addDays, ago, both, clock, dateOf, instant, isoDate, lasting, number, plainDate, say, weekday, zoneName } = await load('words.js');

const vietnam = 'Asia/Ho_Chi_Minh';
const tet = Date.parse('2021-02-12T00:30:00+07:00');

test('a text takes its arguments', () => {
  assert.equal(say('c.ago_m', { n: 5 }).includes('5'), true);
  assert.equal(say('c.ago_m', {}).includes('{n}'), true, 'a place without its argument stays');
});

test('a text in two languages', () => {
  assert.equal(both({ vi: 'Chào', en: 'Hello' }), 'Chào');
  assert.equal(both({ vi: '', en: 'Hello' }), 'Hello');
  assert.equal(both(null), '');
});

test('times are those of the zone', () => {
  assert.equal(clock(tet, vietnam), '00:30');
  assert.equal(dateOf(tet, vietnam), '12/02/2021');
  assert.equal(isoDate(tet, vietnam), '2021-02-12');
  assert.equal(isoDate(tet, 'Europe/Berlin'), '2021-02-11');
  assert.match(zoneName(vietnam, tet), /UTC\+7/);
  assert.match(zoneName('Asia/Kathmandu', tet), /^Kathmandu \(UTC\+5:45\)$/);
});

test('days are counted on the calendar', () => {
  assert.equal(addDays('2021-02-28', 1), '2021-03-01');
  assert.equal(addDays('2020-02-28', 1), '2020-02-29');
  assert.equal(addDays('2021-01-01', -1), '2020-12-31');
  assert.equal(addDays('2021-03-28', 1), '2021-03-29', 'summer time begins in Europe');
  assert.equal(weekday('2021-02-01'), 0, 'a Monday');
  assert.equal(weekday('2021-02-07'), 6, 'a Sunday');
  assert.equal(plainDate('2021-02-12'), '12/02/2021');
});

test('an instant is when the clocks of a zone show it', () => {
  assert.equal(instant('2021-02-12', '00:30', vietnam), tet);
  assert.equal(instant('2021-02-12', '00:30', 'Asia/Kathmandu'), Date.parse('2021-02-12T00:30:00+05:45'));
  assert.equal(instant('2021-07-01', '12:00', 'Europe/Berlin'), Date.parse('2021-07-01T12:00:00+02:00'));
  assert.equal(instant('2021-03-28', '03:00', 'Europe/Berlin'), Date.parse('2021-03-28T03:00:00+02:00'), 'after the gap');
  for (let day = '2021-01-01'; day < '2022-01-01'; day = addDays(day, 1)) {
    const noon = instant(day, '12:00', 'Europe/Berlin');
    assert.equal(isoDate(noon, 'Europe/Berlin'), day);
    assert.equal(clock(noon, 'Europe/Berlin'), '12:00');
  }
});

test('a length of time has its two largest units', () => {
  const digits = (s) => s.match(/\d+/g).map(Number);
  assert.deepEqual(digits(lasting(59)), [59]);
  assert.deepEqual(digits(lasting(3600)), [1]);
  assert.deepEqual(digits(lasting(3600 + 120)), [1, 2]);
  assert.deepEqual(digits(lasting(86400 + 7200 + 180)), [1, 2], 'minutes are left out after a day');
});

test('how long since', () => {
  assert.equal(ago(1), say('c.ago_now'));
  assert.equal(ago(89), say('c.ago_s', { n: 89 }));
  assert.equal(ago(90), say('c.ago_m', { n: 2 }));
  assert.equal(ago(5400), say('c.ago_h', { n: 2 }));
  assert.equal(ago(172800), say('c.ago_d', { n: 2 }));
});

test('numbers are written as in the language', async () => {
  assert.equal(number(1234.5, 1), '1.234,5');
  const english = await load('words.js', 'en');
  assert.equal(english.number(1234.5, 1), '1,234.5');
  assert.equal(english.both({ vi: 'Chào', en: 'Hello' }), 'Hello');
});
