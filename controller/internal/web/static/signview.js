// What a sign is said to be, in words and marks: the same on the wall, on the
// map and on the sign's page. A mark is never colour alone.
import { h, badge } from './dom.js';
import { both, say, has, number } from './words.js';

export const shapes = { online: '●', behind: '◐', stale: '▲', offline: '✕', never: '◇', unknown: '○' };
const kinds = { online: 'good', behind: 'warn', stale: 'warn', offline: 'bad', never: 'warn', unknown: 'warn' };

const behind = (sign) => sign.mode !== 'picture' && sign.state !== 'never' && sign.state !== 'unknown' && sign.wanted && sign.seq !== sign.wanted;

// light is a sign's state at a glance: good only if it is there and has said that
// it has the program that it should have.
export const light = (sign) => (sign.state === 'online' && (behind(sign) || sign.problem) ? 'behind' : sign.state);

// marks are the sign's conditions: [key, shape, kind]. The keys are also what
// the wall filters by.
export function marks(sign) {
  const out = [[sign.state, shapes[light(sign)], kinds[light(sign)]]];
  if (sign.out_of_service) out.push(['out', '⊘', 'warn']);
  if (sign.faults && sign.faults.length) out.push(['faulty', '⚠', 'bad']);
  if (sign.agrees === false) out.push(['differs', '≠', 'bad']);
  if (sign.problem) out.push(['problem', '!', 'bad']);
  if (sign.mode === 'picture') out.push(['unprotected', '⊖', 'warn']);
  else if (sign.clock === 'untrusted') out.push(['clock', '⏱', 'warn']);
  if (behind(sign)) out.push(['behind', '↻', 'warn']);
  if (sign.alerts) out.push([sign.alerts, '☆', sign.alerts === 'excluded' ? 'soft' : 'warn']);
  if (sign.test) out.push(['test', '✎', 'soft']);
  return out;
}

export const conditions = ['online', 'stale', 'offline', 'unknown', 'never', 'out', 'faulty', 'differs', 'problem', 'unprotected', 'clock', 'behind', 'new', 'waiting', 'excluded', 'test'];

// faultText is what a sign, or the controller of its records, says is wrong; what
// has no words here stays as it came.
export function faultText(code) {
  const [name] = code.split(' (');
  const key = name.replace(/[^a-z]+/g, '-');
  return has(`face.fault_${key}`) ? say(`face.fault_${key}`) + code.slice(name.length) : code;
}

export const faultTexts = (sign) => sign.faults.map(faultText).join('; ');

// problemOf is why its plan cannot be made.
export const problemOf = (sign) => both({ vi: sign.problem_vi, en: sign.problem });

export const markBadge = ([key, shape, kind], sign) => badge(say(`face.is_${key}`), shape, kind, key === 'out' ? sign.out_of_service : key === 'faulty' ? faultTexts(sign) : key === 'problem' ? problemOf(sign) : null);

const names = new Map(); // rule → what people call it
export const call = (rule, name) => names.set(rule, name);

// ruleText names a rule of the plan: "schedule:tet", "playlist:…", "default".
export function ruleText(rule) {
  const [kind, ref] = (rule || '').split(/:(.*)/s);
  const id = names.get(rule) || ref;
  if (kind === 'schedule') return say('face.rule_schedule', { name: id });
  if (kind === 'playlist') return say('face.rule_playlist', { name: id });
  if (kind === 'campaign') return say('face.rule_campaign', { name: id });
  return has(`face.rule_${kind}`) ? say(`face.rule_${kind}`) : rule || say('c.unknown');
}

// shows is what is on the face now, and why. What a sign that is not there
// shows, nobody knows.
export function shows(sign) {
  const s = sign.showing;
  const unknown = { title: say('c.unknown'), why: '' };
  if (sign.state !== 'online') return unknown;
  const why = (key) => (has(`face.why_${key}`) ? say(`face.why_${key}`) : key);
  if (s) return { title: s.frame ? s.title || s.item : say('face.dark'), why: s.rule ? `${why(s.why)} – ${ruleText(s.rule)}` : why(s.why) };
  if (sign.said) return { title: sign.said.item || say('c.unknown'), why: why(sign.said.why) };
  return unknown;
}

// build describes the face as a thing: class, pitch, size.
export function build(sign) {
  const parts = [sign.class];
  if (sign.pitch_mm) parts.push(`P${number(sign.pitch_mm, 1)}`, `${number(sign.w * sign.pitch_mm / 1000, 2)} × ${number(sign.h * sign.pitch_mm / 1000, 2)} m`);
  return parts.join(' · ');
}

export const badges = (sign) => marks(sign).map((m) => h('li', {}, markBadge(m, sign)));
