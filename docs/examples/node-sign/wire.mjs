// Documents and frames: every check of docs/protocol.md, "Signed documents" and "Limits", in its order.
import crypto from 'node:crypto'
import fs from 'node:fs'
import { PNG } from 'pngjs'

export class Refused extends Error {
  constructor(reason, detail) {
    super(`${reason}: ${detail}`)
    this.reason = reason
  }
}
const need = (ok, reason, detail) => { if (!ok) throw new Refused(reason, detail) }
const doc = (ok, detail) => need(ok, 'bad-document', detail)
export const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex')
// Node's decoder takes padding, white space, + and / and unused bits: only what encodes to the same text again is
// strict.
const strict = (text) => Buffer.from(text, 'base64url').toString('base64url') === text
export const kidOf = (x) => sha256(Buffer.from(x, 'base64url')).slice(0, 16)

export function split(bytes, typ) {
  need(bytes.length <= 256 << 10, 'too-large', bytes.length)
  const parts = bytes.toString('latin1').split('.')
  const [head, payload, sig] = parts.map((p) => Buffer.from(p, 'base64url'))
  const kid = head.toString('latin1', 24, 40)
  const right = head.equals(Buffer.from(`{"alg":"Ed25519","kid":"${kid}","typ":"${typ}"}`))
  const strictly = parts.length === 3 && parts.every(strict) && sig.length === 64 && /^[0-9a-f]{16}$/.test(kid)
  need(right && strictly, 'bad-header', 'not three strict parts, or other header bytes')
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

// The schemas of docs/schemas, as far as they use these words. A member that may be left out when empty has a default.
export const schema = (name) => JSON.parse(fs.readFileSync(new URL(`../../schemas/${name}.json`, import.meta.url)))
const parts = schema('parts').$defs
const schemas = Object.fromEntries(['keys', 'program', 'alerts', 'request'].map((n) => [n, schema(n)]))
const kinds = { integer: Number.isSafeInteger, array: Array.isArray,
  object: (v) => v && typeof v === 'object' && !Array.isArray(v) }
const words = {
  type: (v, t) => (kinds[t] ?? ((x) => typeof x === t))(v), const: (v, c) => v === c, enum: (v, all) => all.includes(v),
  minimum: (v, n) => v >= n, maximum: (v, n) => v <= n,
  pattern: (v, re) => new RegExp(re).test(v), minLength: (v, n) => v.length >= n,
  minItems: (v, n) => v.length >= n, maxItems: (v, n) => v.length <= n,
  required: (v, names) => names.every((n) => Object.hasOwn(v, n)),
}
export function fit(v, { $ref, ...is }, path) {
  if ($ref) return fit(v, parts[$ref.split('/').at(-1)], path)
  for (const [word, arg] of Object.entries(is)) doc(words[word]?.(v, arg) ?? true, `${path}: ${word}`)
  for (const [name, of] of Object.entries(is.properties ?? {})) {
    if ('default' in of && !Object.hasOwn(v, name)) v[name] = []
    if (Object.hasOwn(v, name)) fit(v[name], of, `${path}.${name}`)
  }
  if (is.items) v.forEach((e, i) => fit(e, is.items, `${path}[${i}]`))
}

// And what a schema cannot say.
export const size = (cls) => /^(\d+)x(\d+)-/.exec(cls)?.slice(1).map(Number) ?? doc(false, `class ${cls}`)
export const length = (steps) => steps.reduce((sum, s) => sum + s.ms, 0)
const check = (all, most, steps, [w, h]) => doc(all.every((f) => f.w * f.h <= 4 << 20) &&
  all.reduce((n, f) => n + f.len, 0) <= most && steps.every(([{ frame, scroll }, of]) => {
    const f = of[frame], x = scroll?.axis === 'x', y = scroll?.axis === 'y'
    return f && (x ? f.w >= w : f.w === w) && (y ? f.h >= h : f.h === h)
  }), 'frames or steps')
const checks = {
  request(d) { doc(d.op !== 'time' || d.iat === Math.floor(d.at_ms / 1000), 'iat is not the second of at_ms') },
  keys(d) { doc(d.keys.every((k) => strict(k.x) && kidOf(k.x) === k.kid), 'a kid') },
  program(d) {
    const loop = (l) => l === -1 || d.loops[l]
    check(d.frames, 64 << 20, d.items.flatMap((i) => i.steps.map((s) => [s, d.frames])), size(d.class))
    doc(d.loops.every((l) => l.order.every((i) => d.items[i])) && loop(d.fallback) && loop(d.comm_loss.loop),
      'an index')
    doc(d.segments.every((s, i, all) => loop(s.loop) && s.from < s.until && (!i || s.from >= all[i - 1].until)),
      'segments')
    doc([...d.brightness, ...d.alert_floor].every((b) => b.from < b.until), 'brightness')
  },
  alerts(d) {
    const all = d.alerts.flatMap((a) => a.frames)
    check(all, 2 << 20, d.alerts.flatMap((a) => a.steps.map((s) => [s, a.frames])), size(d.class))
    doc(all.length <= 48 && new Set(d.alerts.map((a) => a.id)).size === d.alerts.length,
      'too many frames, or an id twice')
    doc(d.alerts.every((a) => a.from < a.until && a.until - a.from <= 86400 && a.share_ms % length(a.steps) === 0),
      'alerts')
  },
}
const life = { keys: 400 * 86400, program: 8 * 86400, alerts: 25 * 3600, request: 300 }

// open makes the checks from bad-document to expired of a document whose signature is right. claim is told its header.
export function open(payload, role, { sign, cls, epoch, floor, digest, nowMS, trusted }, claim) {
  const d = parse(payload), of = role.replace('-test', '')
  claim(d)
  fit(d, schemas[of], of)
  doc(d.role === role && d.exp - d.iat <= life[of], 'its role or its life')
  checks[of](d)
  need((d.sign ?? sign) === sign, 'wrong-sign', d.sign)
  need((d.class ?? cls) === cls, 'wrong-class', d.class)
  need(role === 'keys' || d.epoch === epoch, 'wrong-epoch', d.epoch)
  const at = floor(d), repeat = at?.seq === d.seq && at.digest === digest
  const now = d.op === 'time' ? d.iat * 1000 : nowMS
  need(!at || repeat || d.seq > at.seq, 'stale-seq', d.seq)
  need(repeat || !trusted || now >= d.nbf * 1000, 'not-yet', d.nbf)
  need(repeat || now < d.exp * 1000, 'expired', d.exp)
  return { d, repeat }
}

// picture checks a frame and decodes it to its pixels, three bytes each. This example draws no JPEG.
export function picture(data, f, cls) {
  const ok = (good) => need(good, 'bad-frame', f.sha256), [depth, kind, , , interlaced] = data.subarray(24)
  ok(data.length === f.len && sha256(data) === f.sha256 && f.type === 'image/png' && data.length > 33 &&
    data.toString('latin1', 12, 16) === 'IHDR')
  ok(data.readUInt32BE(16) === f.w && data.readUInt32BE(20) === f.h && depth <= 8 &&
    [0, 2, 3].includes(kind) && !interlaced)
  let palette = '', name = ''
  for (let at = 8; name !== 'IEND'; at += 12 + data.readUInt32BE(at)) {
    ok(at + 12 <= data.length && at + 12 + data.readUInt32BE(at) <= data.length)
    name = data.toString('latin1', at + 4, at + 8)
    if (name === 'PLTE') palette = data.toString('hex', at + 8, at + 8 + data.readUInt32BE(at))
    ok(name !== 'tRNS')
  }
  if (cls.endsWith('-redgreen')) ok(kind === 3 && palette === '000000ff000000ff00ffff00')
  else if (!cls.endsWith('-rgb')) ok(depth === 1 && (kind === 0 || (kind === 3 && palette === '000000ffffff')))
  try { return Buffer.from(PNG.sync.read(data).data.filter((_, i) => i % 4 < 3)) } catch { return ok(false) }
}
