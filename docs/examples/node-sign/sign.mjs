// A sign: what it accepts, keeps and says. mono() is milliseconds that only rise; publish(leaf, object) and subscribe(topics)
// are its connection's. What must last lies in dir, written before anything of it shows.
import fs from 'node:fs'
import path from 'node:path'
import { Refused, kidOf, open, picture, sha256, size, split, verify } from './wire.mjs'
import { at, reaches } from './timeline.mjs'

const sets = ['alerts', 'alerts-test']

export class Sign {
  constructor(config, dir, { mono, systemMS, ntp, publish, subscribe }) {
    Object.assign(this, { config, dir, mono, publish, subscribe, trusted: ntp, session: null, pending: null, saidAt: 0, runs: {}, acked: {},
      waiting: new Map(), wanted: new Map(), pictures: new Map(), base: `led/v1/signs/${config.sign}/` })
    fs.mkdirSync(path.join(dir, 'frames'), { recursive: true })
    const file = path.join(dir, 'state.json'), none = { floors: {}, docs: {}, ended: {}, savedMS: 0, contactMS: 0 }
    this.state = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : none
    this.offset = (ntp ? systemMS : Math.max(systemMS, this.state.savedMS)) - mono()
    sets.forEach((role) => this.run(this.doc(role)))
    this.tick()
  }
  get now() { return this.mono() + this.offset }
  get contactMS() { return this.session ? this.now : this.state.contactMS }
  get areas() { return this.doc('program')?.areas ?? this.config.areas }
  get running() { return sets.flatMap((role) => (this.doc(role)?.alerts ?? []).map((a) => ({ role, a, set: this.doc(role) }))) }
  get topics() {
    const alerts = (this.config.test ? sets : ['alerts']).map((role) => `led/v1/${role}/${this.config.class}`)
    return ['led/v1/keys', this.base + 'program', this.base + 'request', ...alerts.flatMap((t) => [t, t + '/frames/+'])]
  }
  doc(role) { return this.state.docs[role]?.d }

  // write replaces a file whole: a power cut leaves the old one or the new one.
  write(name, data) {
    const file = path.join(this.dir, name)
    fs.writeFileSync(file + '.new', data, { flush: true })
    fs.renameSync(file + '.new', file)
  }
  save() { this.write('state.json', JSON.stringify(Object.assign(this.state, { savedMS: this.now, contactMS: this.contactMS }))) }
  connected(session) { this.session = session; this.subscribe([...this.wanted.keys()]); this.status(); this.tick() }
  disconnected() { this.save(); this.session = null }
  status() {
    const of = (role, d = this.doc(role)) => d && { epoch: d.epoch, seq: d.seq }, { item, frame, why } = this.shown
    this.saidAt = this.mono()
    this.publish('status', { v: 1, state: 'online', session: this.session, at_ms: this.now, software: 'node-sign', class: this.config.class, keys: of('keys'),
      program: of('program'), alerts: of('alerts'), clock: this.trusted ? 'trusted' : 'untrusted', showing: { item, frame: frame?.sha256 ?? '', why } })
  }
  ack(role, d, state, more) { if (this.session) this.publish('ack', { v: 1, at_ms: this.now, role, epoch: d?.epoch ?? 0, seq: d?.seq ?? 0, state, ...more }) }
  ackAlert({ role, a, set }, state, more) { this.ack(role, set, (this.acked[a.id] = state), { alert: a.id, frame: a.frames[0]?.sha256, ...more }) }

  message(topic, data) {
    const role = topic === 'led/v1/keys' ? 'keys' : topic.startsWith(this.base) ? topic.slice(this.base.length) : topic.split('/')[2]
    const pushed = this.topics.includes(topic.replace(/[^/]*$/, '+')) && data.length <= 900 << 10 && topic.endsWith('/' + sha256(data))
    if (data.length && this.topics.includes(topic)) this.accept(role, topic, data)
    else if (pushed || (data.length && this.wanted.has(topic))) this.gotFrame(topic, data, this.wanted.get(topic)?.f)
    this.tick()
  }
  accept(role, topic, data) {
    const { root, root_spare: spare, sign, class: cls } = this.config, { now: nowMS, trusted } = this, keys = this.doc('keys'), digest = sha256(data)
    const roots = (this.state.spare ? [spare] : [root, spare]).map((x) => ({ x, kid: kidOf(x) })), signed = role === 'program' || sets.includes(role)
    let claimed = {}
    try {
      const s = split(data, `ledcast-${role}`), late = (k) => (trusted || signed) && nowMS >= k.exp * 1000 // a wrong clock cannot judge a time
      const good = (k) => k.kid === s.kid && k.role === role && !(trusted && nowMS < k.nbf * 1000) && !late(k)
      const x = (role === 'keys' ? roots.find((k) => k.kid === s.kid) : !keys?.revoked.includes(s.kid) && keys?.keys.find(good))?.x
      verify(s, x)
      const name = (d) => (role === 'keys' ? role : `${role}|${d.epoch}`)
      const floor = (d, f = this.state.floors[name(d)]) => (f?.epoch < d.epoch ? null : f?.epoch > d.epoch ? { seq: Infinity } : f)
      const { d, repeat } = open(s.payload, role, { sign, cls, epoch: keys?.epoch, floor, digest, nowMS, trusted }, (h) => (claimed = h))
      if (role === 'program' && this.pending?.d.epoch === d.epoch && this.pending.d.seq > d.seq) throw new Refused('stale-seq', d.seq)
      this.waiting.delete(topic)
      const keep = () => {
        this.state.floors[name(d)] = { epoch: d.epoch, seq: d.seq, digest }
        this.state.docs[role] = { d, digest, kid: s.kid }
        this.save()
      }
      if (signed || !repeat) this[sets.includes(role) ? 'alerts' : role](d, keep, { role, repeat, kid: s.kid, spare: x === spare })
    } catch (e) {
      if (!(e instanceof Refused)) throw e
      if (['unknown-key', 'wrong-epoch', 'not-yet'].includes(e.reason)) this.waiting.set(topic, data)
      if (signed) this.ack(role, claimed, 'rejected', { reason: e.reason })
    }
  }
  retry() { [...this.waiting].forEach(([topic, data]) => { this.waiting.delete(topic); this.message(topic, data) }) }

  keys(d, keep, { spare }) {
    if (spare) this.state.spare = true
    for (const role of ['program', ...sets]) if (d.revoked.includes(this.state.docs[role]?.kid)) delete this.state.docs[role]
    if (d.revoked.includes(this.pending?.kid)) this.pending = null
    keep()
    this.retry()
  }
  request(d, keep) {
    const trip = this.mono() - this.saidAt
    keep()
    if (d.op === 'resync') this.subscribe(this.topics)
    if (d.op !== 'time' || d.session !== this.session || trip > 5000) return
    Object.assign(this, { offset: d.at_ms + Math.floor(trip / 2) - this.mono(), trusted: true })
    sets.forEach((role) => this.run(this.doc(role)))
    this.retry()
  }
  program(d, keep, { kid, repeat }) {
    if (repeat && this.doc('program')?.seq === d.seq) return this.ack('program', d, this.acked.program)
    this.pending = { d, keep, kid }
    this.advance()
  }
  // advance takes the pending program over when all its frames are there: whole or not at all.
  advance() {
    const { d, keep } = this.pending ?? {}, missing = d?.frames.filter((f) => !this.has(f)) ?? []
    missing.forEach((f) => this.fetch(`led/v1/frames/${f.owner}/${f.sha256}`, f))
    if (!d || missing.length) return
    keep()
    this.ack('program', d, (this.acked.program = 'received'))
    this.pending = null
  }

  picture(f, key = [f.sha256, f.w, f.h, f.len].join()) {
    if (!this.pictures.has(key)) this.pictures.set(key, picture(fs.readFileSync(path.join(this.dir, 'frames', f.sha256)), f, this.config.class))
    return this.pictures.get(key)
  }
  has(f) { try { return Boolean(this.picture(f)) } catch { return false } }
  fetch(topic, f) {
    if (this.mono() < this.wanted.get(topic)?.until) return
    this.wanted.set(topic, { f, until: this.mono() + 30_000 })
    this.subscribe([topic])
  }
  refuse(f, reason) { if (this.pending?.d.frames.some((g) => g.sha256 === f.sha256)) this.ack('program', this.pending.d, 'rejected', { reason, frame: f.sha256 }) }
  gotFrame(topic, data, f) {
    try { if (f) picture(data, f, this.config.class) } catch (e) { return this.refuse(f, e.reason) }
    this.write(`frames/${sha256(data)}`, data)
    this.wanted.delete(topic)
    this.advance()
    this.ready()
  }

  alerts(d, keep, { role, repeat }) {
    const gone = this.running.filter((x) => x.role === role && !d.alerts.some((a) => a.id === x.a.id) && (this.acked[x.a.id] ?? 'ended') !== 'ended')
    d.ended.forEach((e) => (this.state.ended[e.id] = true))
    if (!repeat) keep()
    this.run(d)
    gone.forEach((x) => this.ackAlert({ ...x, set: d }, 'ended'))
    this.ack(role, d, 'received')
    this.ready(role)
  }
  // run gives each alert a monotonic deadline, which only ever falls: no jump of the clock prolongs an alert.
  run(set) {
    for (const a of set?.alerts ?? []) {
      const run = (this.runs[a.id] ??= { deadline: Infinity, from: Math.floor(this.now / 1000) - Math.max(0, set.iat - a.from) })
      if (this.trusted) run.from = a.from
      run.deadline = Math.min(run.deadline, this.mono() + (this.trusted ? a.until * 1000 - this.now : (a.until - Math.max(a.from, set.iat)) * 1000))
    }
  }
  // ready acks alerts whose frames came, and those of the set that has just arrived.
  ready(fresh) {
    for (const x of this.running.filter(({ a }) => reaches(a, this.config.sign, this.areas) && !this.state.ended[a.id])) {
      const was = this.acked[x.a.id], missing = x.a.frames.filter((f) => !this.has(f))
      if (!missing.length && (!was || was === 'rejected')) this.ackAlert(x, 'received')
      else if (x.role === fresh) this.ackAlert(x, missing.length ? 'rejected' : was, { reason: missing.length ? 'missing-frame' : undefined })
      missing.forEach((f) => this.fetch(`led/v1/${x.role}/${this.config.class}/frames/${f.sha256}`, f))
    }
  }

  // tick ends what is over and returns what is on the face: why, item, frame, offset, percent and rgb.
  tick() {
    const { config: { sign }, areas, trusted, contactMS, state: { ended } } = this
    for (const x of this.running) {
      if (this.mono() >= this.runs[x.a.id].deadline || (trusted && this.now >= x.a.until * 1000)) ended[x.a.id] = true
      if (ended[x.a.id] && (this.acked[x.a.id] ?? 'ended') !== 'ended') this.ackAlert(x, 'ended')
    }
    for (const [topic, { f, until }] of this.wanted) if (this.session && this.mono() >= until) {
      this.refuse(f, 'missing-frame')
      this.fetch(topic, f)
    }
    const alerts = this.running.map((x) => x.a).filter((a) => !ended[a.id] && a.frames.every((f) => this.has(f)))
      .map((a) => ({ ...a, from: this.runs[a.id].from, until: this.runs[a.id].from + a.until - a.from }))
    const s = at(this.doc('program'), alerts, { sign, areas, trusted, contactMS }, this.now)
    this.shown = { ...s, rgb: this.pixels(s) }
    const alert = s.why === 'alert' && this.running.find((x) => x.a.id === s.item)
    if (alert && this.acked[s.item] !== 'showing') this.ackAlert(alert, 'showing')
    else if (!alert && s.frame && this.acked.program !== 'showing') this.ack('program', this.doc('program'), (this.acked.program = 'showing'), { frame: s.frame.sha256 })
    return this.shown
  }
  // pixels is the face row by row, before gamma and brightness.
  pixels({ frame, axis, offset }) {
    const [w, h] = size(this.config.class), out = Buffer.alloc(3 * w * h), rgb = frame && this.picture(frame)
    for (let i = 0; frame && i < w * h; i++) {
      const x = ((i % w) + (axis === 'x' ? offset : 0)) % frame.w, y = (Math.floor(i / w) + (axis === 'y' ? offset : 0)) % frame.h
      rgb.copy(out, 3 * i, 3 * (y * frame.w + x), 3 * (y * frame.w + x) + 3)
    }
    return out
  }
}
