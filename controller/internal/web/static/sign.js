// @ts-check
// One sign: its face beside what it says of itself, its day, and how it is let
// in and kept out.
import { get, items, post, read } from './api.js';
import { areaText } from './areanames.js';
import { announce, at, busy, clearProblems, field, h, problemText, showProblem } from './dom.js';
import { save } from './conflict.js';
import { Day, reasons } from './day.js';
import { enrolment } from './enrol.js';
import { Live, loadImage, now, setSkew } from './faces.js';
import { HealthHistory } from './health.js';
import { Face } from './leds.js';
import { learnNames } from './names.js';
import { Proof } from './proof.js';
import { admin, department, me } from './shell.js';
import { badges, build, faultTexts, problemOf, ruleText, shows } from './signview.js';
import { specForm } from './specform.js';
import { ago, both, clock, clockSeconds, instant, isoDate, moment, say, zoneName } from './words.js';

const id = decodeURIComponent(location.pathname.split('/')[2]);
const path = `/api/v1/signs/${id}`;
const main = at('main');
let sign;
let areas = [];
const areaName = (code) => areaText(areas, code);
let live;
let past;
let day;
let outShown; // why it is out of service, as the page has it
let heard = 0; // what the stream has said
let planned = 0; // the seq of the program that the day was asked for

export function done(text) {
  at('said').textContent = text;
  at('said').hidden = false;
}

const ledCanvas = (label) => h('canvas', { cls: 'led', role: 'img', 'aria-label': label, css: { '--ratio': `${sign.w} / ${sign.h}`, '--shape': Math.min(1, sign.w / sign.h / 2) } });

const shot = { at: 0, face: null, differs: false };
const faceText = { title: h('p', { cls: 'title' }), why: h('p', { cls: 'why' }), until: h('p', { cls: 'hint' }) };
const shotText = h('p');

function draw() {
  review();
  if (sign.alerts_unable !== undefined || !at('unable').hidden) unable();
  at('name').textContent = sign.name || sign.id;
  at('badges').replaceChildren(...badges(sign));
  const { title, why } = shows(sign);
  faceText.title.textContent = title;
  faceText.why.textContent = why;
  live.canvas.setAttribute('aria-label', `${sign.name || sign.id}: ${title}`);
  live.update(sign);
  if (sign.shot_ms && sign.shot_ms !== shot.at) {
    shot.at = sign.shot_ms;
    const url = `${path}/snapshot.png?t=${sign.shot_ms}`;
    loadImage(url, url).then((image) => shot.face.show(image, '', 0, 100)).catch(() => {});
  }
  health();
  past?.changed(sign);
  if (!at('own').hidden && outShown !== sign.out_of_service) service(); // somebody else took it out, or back
  if (day && planned !== sign.wanted) { // another plan, perhaps another day
    planned = sign.wanted;
    day.show();
  }
}

// compare says whether the sign's own picture is what its program says. A
// difference is shown at both pictures and told once.
function compare() {
  const differs = sign.agrees === false;
  const words = sign.agrees === undefined || sign.agrees === null ? 'sign.not_compared' : differs ? 'sign.differs' : 'sign.agrees';
  shotText.textContent = !sign.shot_ms ? say('sign.no_snapshot') : `${say(words)} – ${clockSeconds(sign.shot_ms, sign.time_zone)}, ${zoneName(sign.time_zone)} (${ago(Math.max(0, now() - sign.shot_ms) / 1000)})`;
  shotText.className = differs ? 'problem' : '';
  at('pictures').classList.toggle('differing', differs);
  if (differs && !shot.differs) announce(say('sign.differs'));
  shot.differs = differs;
}

function health() {
  compare();
  const pair = (key, value) => [h('dt', {}, say(key)), h('dd', {}, value)];
  const seconds = sign.heard_ms ? (now() - sign.heard_ms) / 1000 : -1;
  const rows = [
    pair('sign.heard', seconds < 0 ? say('face.heard_never') : `${ago(seconds)} – ${moment(sign.heard_ms, sign.time_zone)}`),
    pair('sign.faults', sign.faults && sign.faults.length ? h('span', { cls: 'problem' }, faultTexts(sign)) : say('sign.no_faults')),
    pair('sign.clock', sign.mode === 'picture' ? say('sign.clock_none') : sign.clock === 'trusted' ? say('sign.clock_good') : sign.clock ? say('sign.clock_bad') : say('c.unknown')),
    pair('sign.program', sign.mode === 'picture' ? say('face.unprotected_help') : !sign.seq ? say('sign.seq_none') : sign.seq === sign.wanted ? say('sign.seq_same', { seq: sign.seq }) : say('sign.seq_other', { seq: sign.seq, wanted: sign.wanted })),
  ];
  if (sign.software) rows.push(pair('sign.software', sign.software));
  if (sign.problem) rows.push(pair('sign.problem', h('span', { cls: 'problem' }, problemOf(sign))));
  rows.push(pair('sign.what', `${sign.id} · ${build(sign)}`), pair('sign.owner', sign.owner_name || sign.owner), pair('sign.areas', sign.areas.map(areaName).join(', ')));
  if (sign.phone) rows.push(pair('sign.phone', h('a', { href: `tel:${sign.phone.replace(/[^+\d]/g, '')}` }, sign.phone)));
  if (sign.out_of_service) rows.push(pair('sign.out_because', sign.out_of_service));
  at('health').replaceChildren(h('dl', { cls: 'pairs' }, rows));
}

function layOut() {
  const canvas = ledCanvas('');
  at('face').append(canvas, faceText.title, faceText.why, faceText.until);
  live = new Live(canvas, sign);
  const other = ledCanvas(say('sign.snapshot'));
  at('shot').append(other, shotText);
  shot.face = new Face(other, sign.w, sign.h, sign.colour, sign.pitch_mm);
  shot.face.show(null);
  new ResizeObserver(() => shot.face.measure()).observe(other);
}

// askTime asks what it will show at a time. It answers a function that asks
// about a moment somebody points at.
function askTime() {
  const zone = sign.time_zone;
  const date = h('input', { type: 'date', value: isoDate(now(), zone), required: true });
  const time = h('input', { type: 'time', value: clock(now(), zone), required: true });
  const opened = `${date.value} ${time.value}`;
  const out = h('div', { role: 'status' });
  const form = h('form', {}, h('div', { cls: 'form-grid' }, field(say('sign.at_date'), date, { path: 'date' }), field(say('sign.at_time'), time, { path: 'time', hint: zoneName(zone) })), h('button', { cls: 'main' }, say('sign.at_ask')), out);
  let asked = 0; // an answer that comes late is of another time
  const ask = async (ms) => {
    const mine = ++asked;
    let x;
    try {
      x = await get(`${path}/at?time=${encodeURIComponent(new Date(ms).toISOString())}`);
    } catch (p) {
      if (mine !== asked) return;
      out.replaceChildren(h('p', { cls: 'problem' }, p.status === 404 ? say('sign.at_none') : problemText(p)));
      return;
    }
    if (mine !== asked) return;
    const canvas = ledCanvas(x.title || x.item);
    out.replaceChildren(h('p', {}, h('strong', {}, x.frame ? x.title || x.item : say('face.dark'))), h('p', {}, `${say('sign.at_said', { time: `${clockSeconds(ms, zone)}, ${zoneName(zone, ms)}`, rule: ruleText(x.rule) })}. ${say('sign.at_until', { time: clockSeconds(x.until_ms, zone), percent: x.percent })}`), x.comm_loss_ms ? h('p', { cls: 'hint' }, say('sign.at_comm_loss', { time: moment(x.comm_loss_ms, zone) })) : '', reasons(x) || '');
    if (!x.frame) return;
    try {
      const image = await loadImage(x.frame, `${path}/frames/${x.frame}`);
      if (mine !== asked) return;
      out.prepend(canvas);
      const face = new Face(canvas, sign.w, sign.h, sign.colour, sign.pitch_mm);
      const along = x.scroll ? Math.floor(x.tau_ms * x.scroll.px_s / 1000) % (x.scroll.axis === 'y' ? image.height : image.width) : 0;
      face.show(image, x.scroll ? x.scroll.axis : '', along, x.percent);
    } catch {
      if (mine === asked) out.prepend(h('p', { cls: 'hint' }, say('sign.at_no_picture')));
    }
  };
  form.addEventListener('submit', (e) => {
    e.preventDefault();
    const ms = instant(date.value, time.value, zone);
    const untouched = `${date.value} ${time.value}` === opened;
    ask(untouched || (now() - ms > 0 && now() - ms < 60000) ? now() : ms); // this minute is now
  });
  at('at').append(form);
  return (ms) => {
    date.value = isoDate(ms, zone);
    time.value = clock(ms, zone);
    at('at').closest('section').scrollIntoView({ block: 'nearest' });
    ask(Math.floor(ms));
  };
}

// service takes the sign out of service in one step, and back.
function service() {
  const box = at('out');
  outShown = sign.out_of_service;
  const set = async (reason) => {
    const spec = await read(`${path}/spec`);
    if (reason) spec.data.out_of_service = reason;
    else delete spec.data.out_of_service;
    const saved = await save(path, spec.data, spec.etag, `${path}/spec`);
    if (!saved || saved.theirs) return;
    sign.out_of_service = reason || undefined;
    done(say(reason ? 'sign.is_out' : 'sign.is_back'));
    service();
    draw();
  };
  if (sign.out_of_service) {
    const back = h('button', { type: 'button', cls: 'main' }, say('sign.back'));
    back.addEventListener('click', () => busy(back, box, () => set('')));
    box.replaceChildren(h('p', {}, say('sign.out_now', { reason: sign.out_of_service })), back);
    return;
  }
  const reason = h('input', { name: 'reason', required: true, maxlength: 200, autocomplete: 'off' });
  const button = h('button', { cls: 'danger' }, say('sign.take_out'));
  const form = h('form', {}, field(say('sign.reason'), reason, { path: 'out_of_service', hint: say('sign.reason_hint') }), button);
  form.addEventListener('submit', (e) => {
    e.preventDefault();
    busy(button, box, () => set(reason.value.trim()));
  });
  box.replaceChildren(h('p', { cls: 'hint' }, say('sign.out_hint')), form);
}

// again asks for the sign; what the stream says meanwhile is newer.
async function again() {
  const before = heard;
  const s = await get(path);
  if (before !== heard) return;
  sign = s;
  draw();
}

// waiting shows a change that waits for the department.
async function waiting() {
  const box = at('waiting');
  let x;
  try {
    x = await get(`${path}/pending`);
  } catch (p) {
    box.hidden = true;
    showProblem(main, p);
    return;
  }
  box.hidden = !x;
  if (!x) return;
  const decide = (action, cls, key) => {
    const b = h('button', { type: 'button', cls }, say(key));
    b.addEventListener('click', () => busy(b, box, async () => {
      await post(`${path}/pending/${action}`);
      done(say(action === 'approve' ? 'sign.approved' : 'sign.refused'));
      await again();
      await waiting();
    }));
    return b;
  };
  box.replaceChildren(h('h2', {}, say('sign.waits')), h('p', {}, say('sign.waits_text', { by: x.by.replace(/^(user|token):/, ''), when: moment(x.at_ms, sign.time_zone) })),
    h('dl', { cls: 'pairs' }, h('dt', {}, say('sign.areas')), h('dd', {}, x.areas.map(areaName).join(', ')), h('dt', {}, say('spec.mode')), h('dd', {}, x.mode === 'picture' ? say('spec.mode_picture') : say('spec.mode_program')), h('dt', {}, say('spec.test')), h('dd', {}, x.test ? say('c.yes') : say('c.no'))),
    h('div', { cls: 'buttons' }, department ? decide('approve', 'main', 'sign.approve') : null, decide('refuse', 'danger', department ? 'sign.refuse' : 'sign.withdraw')));
}

// unable says that no urgent message fits this sign.
function unable() {
  const box = at('unable');
  box.hidden = !sign.alerts_unable;
  const f = sign.alerts_unable;
  if (f) box.replaceChildren(say('sign.unable', { why: both(f.text), remedy: both(f.remedy) }));
}

// review asks the department about a sign that is new, waiting or excluded.
function review() {
  const box = at('review');
  box.hidden = !(sign.alerts && department && admin);
  if (box.hidden) return;
  const decide = (alerts, cls, key) => {
    const b = h('button', { type: 'button', cls }, say(key));
    b.addEventListener('click', () => busy(b, box, async () => {
      await post('/api/v1/signs/review', { signs: [id], alerts });
      await again();
    }));
    return b;
  };
  const count = decide('', 'main', 'sign.review_count');
  const exclude = sign.alerts === 'excluded' ? null : decide('excluded', 'danger', 'sign.review_exclude');
  box.replaceChildren(h('h2', {}, say(`sign.review_${sign.alerts}`)),
    h('p', {}, say(`sign.review_${sign.alerts}_text`)), h('div', { cls: 'buttons' }, count, exclude));
}

async function edit() {
  const spec = await read(`${path}/spec`);
  const saved = async (answer) => {
    done(say(answer.status === 202 ? 'sign.saved_waits' : 'sign.saved'));
    clearProblems(main);
    await again();
    await Promise.all([waiting(), edit()]);
  };
  at('spec').replaceChildren(await specForm(spec.data, spec.etag, saved));
}

async function start() {
  try {
    [sign, areas] = await Promise.all([get(path), items('/api/v1/areas'), learnNames()]);
  } catch (p) {
    for (const s of main.querySelectorAll('section')) s.hidden = true;
    showProblem(main, p);
    return;
  }
  layOut();
  draw();
  day = new Day(at('day'), id, sign.time_zone, now, askTime());
  day.show();
  planned = sign.wanted;
  past = new HealthHistory(at('history'), id, sign.time_zone, now);
  past.show();
  past.changed(sign);
  new Proof(at('proof'), sign, now).show();
  const source = new EventSource(`/api/v1/events?sign=${id}`);
  source.addEventListener('sign', (e) => {
    const { now_ms: ms, sign: s } = JSON.parse(e.data);
    setSkew(ms - Date.now());
    if (s.id !== id) return;
    heard += 1;
    sign = s;
    draw();
  });
  source.addEventListener('open', () => { faceText.until.textContent = ''; });
  source.addEventListener('error', () => { faceText.until.textContent = say('sign.lost'); });
  setInterval(health, 5000);
  if (!admin || (me.owner !== sign.owner && !department)) return;
  at('own').hidden = false;
  at('edit').hidden = false;
  service();
  enrolment(at('enrol'), id, sign, done);
  await Promise.all([waiting(), edit()]);
}

await start();
