// The form of a sign's spec: what was put of it, field by field.
import { items } from './api.js';
import { areaText } from './areanames.js';
import { busy, clearProblems, field, h, options, problems } from './dom.js';
import { save } from './conflict.js';
import { hours } from './hours.js';
import { department, me } from './shell.js';
import { say, lang } from './words.js';

const colours = ['rgb', 'red', 'amber', 'green', 'white', 'redgreen'];

// text and number inputs that set or leave out a field.
const input = (name, value, more) => h('input', { name, value: value ?? '', autocomplete: 'off', ...more });
const set = (spec, key, value) => {
  if (value === '' || value === null || value === undefined || value === false || (Array.isArray(value) && !value.length)) delete spec[key];
  else spec[key] = value;
};
const numeric = (control) => (control.value === '' ? '' : Number(control.value));

async function playlistsOf(owner) {
  if (owner !== me.owner) return null; // no business of ours
  const own = await items(`/api/v1/owners/${owner}/playlists`);
  const theirs = owner === 'public' ? [] : await items('/api/v1/owners/public/playlists');
  return [...own.map((p) => [p.id, p.name || p.id]), ...theirs.map((p) => [`public/${p.id}`, `${p.name || p.id} (${say('c.department')})`])];
}

// specForm makes the form of spec; saved is called with the answer. Without an
// etag the sign is new.
export async function specForm(spec, etag, saved) {
  const fresh = !etag;
  const owner = fresh ? me.owner : spec.owner;
  const [areas, owners, playlists] = await Promise.all([items('/api/v1/areas'), department && fresh ? items('/api/v1/owners') : [], playlistsOf(owner)]);
  const c = {
    id: input('id', spec.id, { required: true, pattern: '[a-z0-9][a-z0-9\\-]{1,47}', spellcheck: 'false', autocapitalize: 'none' }),
    name: input('name', spec.name, { maxlength: 200 }),
    w: input('w', 128, { type: 'number', min: 8, max: 8192, required: true }),
    hh: input('h', 64, { type: 'number', min: 8, max: 8192, required: true }),
    colour: options(h('select', { name: 'colour' }), colours.map((x) => [x, say(`spec.colour_${x}`)]), 'rgb'),
    owner: options(h('select', { name: 'owner' }), owners.filter((o) => o.id !== 'public').map((o) => [o.id, o.name])),
    mode: options(h('select', { name: 'mode' }), [['', say('spec.mode_program')], ['picture', say('spec.mode_picture')]], spec.mode === 'picture' ? 'picture' : ''),
    test: h('input', { type: 'checkbox', name: 'test', checked: Boolean(spec.test) }),
    lat: input('lat', spec.position?.lat, { type: 'number', step: 'any', min: -90, max: 90 }),
    lon: input('lon', spec.position?.lon, { type: 'number', step: 'any', min: -180, max: 180 }),
    zone: input('time_zone', spec.time_zone, { placeholder: 'Asia/Ho_Chi_Minh', spellcheck: 'false' }),
    pitch: input('pitch_mm', spec.pitch_mm, { type: 'number', step: 'any', min: 0, max: 1000 }),
    comm: input('comm_loss_h', spec.comm_loss_h, { type: 'number', step: 1, min: 1, max: 192 }),
    distance: input('distance_m', spec.distance_m, { type: 'number', step: 'any', min: 0, max: 10000 }),
    phone: input('phone', spec.phone, { type: 'tel', autocomplete: 'off' }),
    tags: input('tags', (spec.tags || []).join(' '), { spellcheck: 'false', autocapitalize: 'none' }),
    playlist: playlists ? options(h('select', { name: 'playlist' }), [['', say('spec.playlist_default')], ...playlists], spec.playlist || '') : input('playlist', spec.playlist, { readonly: true }),
    day: input('light_day', spec.light?.day, { type: 'number', min: 0, max: 100, placeholder: '100' }),
    night: input('light_night', spec.light?.night, { type: 'number', min: 0, max: 100, placeholder: '40' }),
    dwell: input('least_dwell', spec.rules?.least_dwell_ms ? spec.rules.least_dwell_ms / 1000 : '', { type: 'number', min: 0, max: 300, step: 'any' }),
    still: h('input', { type: 'checkbox', name: 'no_scroll', checked: Boolean(spec.rules?.no_scroll) }),
  };
  const listed = areas.filter((a) => !a.replaced_by || (spec.areas || []).includes(a.code)).sort((a, b) => a.name.localeCompare(b.name, lang));
  const areaBoxes = listed.map((a) => [a.code, h('input', { type: 'checkbox', name: 'areas', value: a.code, checked: (spec.areas || []).includes(a.code) }), areaText(areas, a.code)]);
  const offBox = h('div');
  const offs = [];
  const addOff = (w) => {
    const x = hours(w);
    const row = h('div', {}, x.element, h('button', { type: 'button', cls: 'quiet', onclick: () => { offs.splice(offs.indexOf(x), 1); row.remove(); } }, say('spec.off_remove')));
    offs.push(x);
    offBox.append(row);
  };
  for (const w of spec.rules?.off || []) addOff(w);
  const button = h('button', { cls: 'main' }, say(fresh ? 'spec.create' : 'spec.save'));
  const form = h('form', {},
    h('div', { cls: 'form-grid' }, fresh ? field(say('spec.id'), c.id, { path: 'id', hint: say('spec.id_hint') }) : null, field(say('spec.name'), c.name, { path: 'name', hint: say('spec.name_hint') }),
      fresh && department ? field(say('spec.owner'), c.owner, { path: 'owner' }) : null),
    fresh ? h('fieldset', {}, h('legend', {}, say('spec.class')), h('div', { cls: 'form-grid' }, field(say('spec.w'), c.w, { path: 'class' }), field(say('spec.h'), c.hh, { path: 'h' }), field(say('spec.colour'), c.colour, { path: 'colour' })), h('p', { cls: 'hint' }, say('spec.class_hint'))) : null,
    h('fieldset', { cls: 'field', data: { path: 'areas' } }, h('legend', {}, say('spec.areas')), h('p', { cls: 'hint' }, say('spec.areas_hint')), h('div', { cls: 'days-choice' }, areaBoxes.map(([, box, name]) => h('label', { cls: 'check' }, box, name))), h('p', { cls: 'problem', hidden: true })),
    h('div', { cls: 'form-grid' }, field(say('spec.phone'), c.phone, { path: 'phone', hint: say('spec.phone_hint') }), field(say('spec.playlist'), c.playlist, { path: 'playlist', hint: playlists ? null : say('spec.playlist_foreign') }),
      field(say('spec.comm_loss'), c.comm, { path: 'comm_loss_h', hint: say('spec.comm_loss_hint') }),
      field(say('spec.pitch'), c.pitch, { path: 'pitch_mm' }), field(say('spec.distance'), c.distance, { path: 'distance_m', hint: say('spec.distance_hint') }),
      field(say('spec.lat'), c.lat, { path: 'position' }), field(say('spec.lon'), c.lon, { path: 'lon' })),
    h('details', {}, h('summary', {}, say('spec.more')), h('div', { cls: 'form-grid' }, field(say('spec.mode'), c.mode, { path: 'mode', hint: say('spec.mode_hint') }), field(say('spec.zone'), c.zone, { path: 'time_zone' }), field(say('spec.tags'), c.tags, { path: 'tags', hint: say('spec.tags_hint') }),
      field(say('spec.day'), c.day, { path: 'light.day' }), field(say('spec.night'), c.night, { path: 'light.night' }), field(say('spec.least_dwell'), c.dwell, { path: 'rules.least_dwell_ms' })),
    h('label', { cls: 'check' }, c.test, say('spec.test')), h('label', { cls: 'check' }, c.still, say('spec.still')),
    h('fieldset', {}, h('legend', {}, say('spec.off')), offBox, h('button', { type: 'button', cls: 'quiet', onclick: () => addOff({ from: '22:00', until: '05:00' }) }, say('spec.off_add')))),
    problems(), h('div', { cls: 'buttons' }, button));

  const collect = () => {
    const out = structuredClone(spec);
    if (fresh) {
      out.id = c.id.value.trim();
      out.owner = department ? c.owner.value : me.owner;
      out.class = `${c.w.value}x${c.hh.value}-${c.colour.value}`;
    }
    set(out, 'name', c.name.value.trim());
    out.areas = areaBoxes.filter(([, box]) => box.checked).map(([code]) => code);
    set(out, 'mode', c.mode.value);
    set(out, 'test', c.test.checked);
    set(out, 'position', c.lat.value !== '' && c.lon.value !== '' ? { lat: Number(c.lat.value), lon: Number(c.lon.value) } : null);
    set(out, 'time_zone', c.zone.value.trim());
    set(out, 'pitch_mm', numeric(c.pitch) || '');
    set(out, 'comm_loss_h', numeric(c.comm) || '');
    set(out, 'distance_m', numeric(c.distance) || '');
    set(out, 'phone', c.phone.value.trim());
    set(out, 'tags', c.tags.value.split(/[\s,]+/).filter(Boolean));
    set(out, 'playlist', c.playlist.value);
    const light = { ...spec.light };
    set(light, 'day', numeric(c.day) || '');
    set(light, 'night', numeric(c.night) || '');
    set(out, 'light', Object.keys(light).length ? light : null);
    const rules = { ...spec.rules };
    set(rules, 'no_scroll', c.still.checked);
    set(rules, 'least_dwell_ms', c.dwell.value ? Math.round(Number(c.dwell.value) * 1000) : '');
    set(rules, 'off', offs.map((x, i) => x.value(`rules.off[${i}].`)));
    set(out, 'rules', Object.keys(rules).length ? rules : null);
    return out;
  };
  form.addEventListener('submit', (e) => {
    e.preventDefault();
    busy(button, form, async () => {
      clearProblems(form);
      const body = collect();
      const path = `/api/v1/signs/${body.id}`;
      const answer = await save(path, body, etag, `${path}/spec`, true);
      if (answer) await saved(answer, body);
    });
  });
  return form;
}
