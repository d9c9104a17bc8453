// Documents and frames: every check of docs/protocol.md, "Signed documents" and "Limits", in its order.
import crypto from 'node:crypto'
import { PNG } from 'pngjs'

export class Refused extends Error {
  constructor(reason, detail) { super(`${reason}: ${detail}`); this.reason = reason }
}
const need = (ok, reason, detail) => { if (!ok) throw new Refused(reason, detail) }
const doc = (ok, detail) => need(ok, 'bad-document', detail)
export const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex')
// Node's decoder takes padding, white space, + and / and unused bits: only what encodes to the same text again is strict.
const strict = (text) => Buffer.from(text, 'base64url').toString('base64url') === text
export const kidOf = (x) => sha256(Buffer.from(x, 'base64url')).slice(0, 16)

export function split(bytes, typ) {
  need(bytes.length <= 256 << 10, 'too-large', `${bytes.length} bytes`)
  const parts = bytes.toString('latin1').split('.')
  need(parts.length === 3 && parts.every(strict), 'bad-header', 'not three strict parts')
  const [head, payload, sig] = parts.map((p) => Buffer.from(p, 'base64url')), kid = head.toString('latin1', 24, 40)
  const right = /^[0-9a-f]{16}$/.test(kid) && head.equals(Buffer.from(`{"alg":"Ed25519","kid":"${kid}","typ":"${typ}"}`))
  need(right && sig.length === 64, 'bad-header', 'other header bytes')
  return { kid, payload, sig, signed: bytes.subarray(0, parts[0].length + 1 + parts[1].length) }
}

export function verify({ kid, signed, sig }, x) {
  need(x, 'unknown-key', kid)
  const key = crypto.createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  need(crypto.verify(null, signed, key, sig), 'bad-signature', kid)
}

// JSON.parse knows neither duplicate names nor plain integers. Other numbers become {}, which fits no member.
export function parse(bytes) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), open = []
    JSON.parse(text)
    return JSON.parse(text.replace(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]|-?\d[\d.eE+-]*/g, (token, string, colon) => {
      if (token === '{' || token === '[') open.push(new Set())
      else if (token === '}' || token === ']') open.pop()
      else if (!string && !(/^-?\d+$/.test(token) && Number.isSafeInteger(+token))) return '{}'
      if (colon) doc(open.at(-1).size < open.at(-1).add(JSON.parse(string)).size, `${string} twice`)
      return token
    }))
  } catch (e) { throw e instanceof Refused ? e : new Refused('bad-document', e.message) }
}

// A shape: int, str, bool, [shape] or an object of them. A name with ? may be missing, and so may arrays.
const int = Number.isSafeInteger, str = (v) => typeof v === 'string', bool = (v) => typeof v === 'boolean', names = [str]
const header = { v: int, role: str, epoch: int, seq: int, iat: int, nbf: int, exp: int }
const frames = [{ sha256: str, len: int, type: str, w: int, h: int, 'owner?': str }]
const steps = [{ frame: int, ms: int, 'scroll?': { axis: str, px_s: int } }]
const alerts = { ...header, class: str, alerts: [{ id: str, priority: int, from: int, until: int, areas: names, signs: names, exclusive_s: int,
  share_ms: int, cycle_ms: int, drill: bool, frames, steps }], ended: [{ id: str, at: int, until: int, why: str }] }
const shapes = { alerts, 'alerts-test': alerts,
  keys: { ...header, keys: [{ kid: str, role: str, x: str, nbf: int, exp: int }], revoked: names },
  program: { ...header, sign: str, class: str, areas: names, frames, items: [{ id: str, owner: str, 'campaign?': str, steps }],
    loops: [{ anchor: int, order: [int] }], segments: [{ from: int, until: int, loop: int, 'why?': str }], fallback: int,
    comm_loss: { after_s: int, loop: int }, brightness: [{ from: int, until: int, percent: int }] },
  request: { ...header, sign: str, id: str, op: str, 'session?': str, 'at_ms?': int } }

function fit(v, shape, path) {
  if (typeof shape === 'function') return doc(shape(v), path)
  doc(v && typeof v === 'object' && Array.isArray(v) === Array.isArray(shape), path)
  if (Array.isArray(shape)) return v.forEach((e, i) => fit(e, shape[0], `${path}[${i}]`))
  for (const [key, of] of Object.entries(shape)) {
    const name = key.replace('?', '')
    if (Array.isArray(of)) v[name] = Object.hasOwn(v, name) ? v[name] : []
    if (name === key || (v[name] ?? null) !== null) fit(v[name], of, `${path}.${name}`)
  }
}

const life = { keys: 400 * 86400, program: 8 * 86400, alerts: 25 * 3600, 'alerts-test': 25 * 3600, request: 300 }
const time = (...all) => all.every((n) => Math.abs(n) * 1000 <= Number.MAX_SAFE_INTEGER)
export const size = (cls) => /^(\d+)x(\d+)-/.exec(cls)?.slice(1).map(Number) ?? doc(false, `class ${cls}`)
export const length = (steps) => steps.reduce((sum, s) => sum + s.ms, 0)

function checkFrames(all, most, bytes, owner) {
  doc(all.length <= most && all.reduce((n, f) => n + f.len, 0) <= bytes, 'too many or too large frames')
  for (const f of all) doc(/^[0-9a-f]{64}$/.test(f.sha256) && f.len > 0 && f.len <= 900 << 10 && /^image\/(png|jpeg)$/.test(f.type) &&
    f.w > 0 && f.h > 0 && Math.max(f.w, f.h) <= 32767 && f.w * f.h <= 4 << 20 && (f.owner || !owner), `frame ${f.sha256}`)
}

const checkSteps = (steps, all, [w, h]) => doc(steps.length && steps.every(({ frame, ms, scroll }) => {
  const f = all[frame], x = scroll?.axis === 'x', y = scroll?.axis === 'y'
  return f && ms >= 100 && ms <= 2 ** 31 && (!scroll || ((x || y) && Math.abs(scroll.px_s) <= 2 ** 20)) &&
    (x ? f.w >= w : f.w === w) && (y ? f.h >= h : f.h === h)
}), 'steps')

const check = {
  keys: (d) => doc(d.keys.every((k) => strict(k.x) && kidOf(k.x) === k.kid), 'a kid'),
  program(d) {
    const loop = (l) => l === -1 || d.loops[l]
    checkFrames(d.frames, 800, 64 << 20, true)
    d.items.forEach((i) => checkSteps(i.steps, d.frames, size(d.class)))
    doc(d.loops.every((l) => l.order.length && l.order.every((i) => d.items[i]) && time(l.anchor)), 'loops')
    doc(loop(d.fallback) && loop(d.comm_loss.loop) && d.comm_loss.after_s >= 0 && time(d.comm_loss.after_s), 'fallback or comm_loss')
    doc(d.segments.every((s, i, all) => loop(s.loop) && s.from < s.until && (!i || s.from >= all[i - 1].until) && time(s.from, s.until)), 'segments')
    doc(d.brightness.every((b) => b.percent >= 0 && b.percent <= 100 && b.from < b.until && time(b.from, b.until)), 'brightness')
  },
  alerts(d) {
    checkFrames(d.alerts.flatMap((a) => a.frames), 48, 2 << 20, false)
    doc(d.alerts.length <= 16 && new Set(d.alerts.map((a) => a.id)).size === d.alerts.length, 'too many alerts, or an id twice')
    d.alerts.forEach((a) => checkSteps(a.steps, a.frames, size(d.class)))
    doc(d.alerts.every((a) => a.id && a.from < a.until && a.until - a.from <= 86400 && time(a.from, a.until, a.exclusive_s) && a.exclusive_s >= 0 &&
      a.signs.length <= 500 && a.cycle_ms > 0 && a.share_ms >= 0 && a.share_ms % length(a.steps) === 0), 'alerts')
  },
}

// open makes the checks from bad-document to expired of a document whose signature is right. claim is told its header.
export function open(payload, role, { sign, cls, epoch, floor, digest, nowMS, trusted }, claim) {
  const d = parse(payload), shape = shapes[role]
  fit(d, header, '')
  claim(d)
  fit(d, shape, '')
  doc(d.v === 1 && d.role === role && d.exp - d.iat <= life[role] && time(Math.max(d.iat, d.nbf, d.exp)), 'the header')
  check[role.replace('-test', '')]?.(d)
  need(!shape.sign || d.sign === sign, 'wrong-sign', d.sign)
  need(!shape.class || d.class === cls, 'wrong-class', d.class)
  need(role === 'keys' || d.epoch === epoch, 'wrong-epoch', d.epoch)
  const at = floor(d), repeat = at?.seq === d.seq && at.digest === digest, now = d.op === 'time' ? d.iat * 1000 : nowMS
  need(!at || repeat || d.seq > at.seq, 'stale-seq', d.seq)
  need(repeat || !trusted || now >= d.nbf * 1000, 'not-yet', d.nbf)
  need(repeat || now < d.exp * 1000, 'expired', d.exp)
  return { d, repeat }
}

// picture checks a frame and decodes it to { w, rgb }. This example draws no JPEG.
export function picture(data, f, cls) {
  const ok = (good, detail) => need(good, 'bad-frame', detail), colour = cls.split('-')[1]
  ok(data.length === f.len && sha256(data) === f.sha256, 'other bytes')
  ok(f.type === 'image/png' && data.length > 33 && data.toString('latin1', 12, 16) === 'IHDR', 'no PNG')
  const [depth, kind, , , interlaced] = data.subarray(24)
  ok(data.readUInt32BE(16) === f.w && data.readUInt32BE(20) === f.h, 'another size')
  ok(depth <= 8 && [0, 2, 3].includes(kind) && !interlaced, 'not of the profile')
  for (let at = 8, name, palette = ''; name !== 'IEND'; at += 12 + data.readUInt32BE(at)) {
    ok(at + 12 <= data.length && at + 12 + data.readUInt32BE(at) <= data.length, 'it ends early')
    name = data.toString('latin1', at + 4, at + 8)
    if (name === 'PLTE') palette = data.toString('hex', at + 8, at + 8 + data.readUInt32BE(at))
    ok(name !== 'tRNS', 'tRNS')
    if (name !== 'IEND') continue
    if (colour === 'redgreen') ok(kind === 3 && palette === '000000ff000000ff00ffff00', 'its palette')
    else if (colour !== 'rgb') ok(depth === 1 && (kind === 0 || (kind === 3 && palette === '000000ffffff')), 'not one bit')
  }
  try {
    return { w: f.w, rgb: Buffer.from(PNG.sync.read(data).data.filter((_, i) => i % 4 < 3)) }
  } catch (e) { throw new Refused('bad-frame', e.message) }
}
