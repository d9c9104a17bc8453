// A sign: what it accepts, keeps and says. mono() is milliseconds that only rise; publish(leaf, object) and
// subscribe(topics) are its connection's. What must last lies in dir, written before anything of it shows.
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { Refused, kidOf, open, picture, sha256, size, split, verify } from './wire.mjs'
import { at, reaches } from './timeline.mjs'

const sets = ['alerts', 'alerts-test']

// signedTime is the time in ms that a request brings, by its own words; undefined for another request.
function signedTime({ payload }) {
  try {
    const d = JSON.parse(payload.toString())
    return d.op === 'time' && Number.isSafeInteger(d.iat) ? d.iat * 1000 : undefined
  } catch { return undefined }
}

export class Sign {
  // system() answers [ms, whether NTP holds it].
  constructor(config, dir, { mono, system, publish, subscribe }) {
    const [systemMS, ntp] = system()
    Object.assign(this, { config, dir, mono, system, publish, subscribe, trusted: ntp, session: null, pending: null,
      questions: [], offer: null, disagrees: false, looked: mono(), askAt: Infinity, askWait: 5000, runs: {}, acked: {},
      waiting: new Map(), wanted: new Map(), pictures: new Map(), base: `led/v1/signs/${config.sign}/` })
    fs.mkdirSync(path.join(dir, 'frames'), { recursive: true })
    const file = path.join(dir, 'state.json')
    const none = { floors: {}, docs: {}, ended: {}, ran: {}, savedMS: 0, contactMS: 0 }
    this.state = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : none
    this.offset = (ntp ? systemMS : Math.max(systemMS, this.state.savedMS)) - mono()
    sets.forEach((role) => this.run(this.doc(role)))
    this.tick()
  }
  get now() { return this.mono() + this.offset }
  get contactMS() { return this.session ? this.now : this.state.contactMS }
  get areas() { return this.doc('program')?.areas ?? this.config.areas }
  get running() {
    return sets.flatMap((role) => (this.doc(role)?.alerts ?? []).map((a) => ({ role, a, set: this.doc(role) })))
  }
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
  save() {
    Object.assign(this.state, { savedMS: this.now, contactMS: this.contactMS })
    this.write('state.json', JSON.stringify(this.state))
  }
  connected(session, challenge) {
    Object.assign(this, { session, askWait: 5000 })
    this.subscribe([...this.wanted.keys()])
    this.askTime(challenge, true)
    this.tick()
  }
  disconnected() { this.save(); Object.assign(this, { session: null, askAt: Infinity }) }
  // askTime publishes a status that asks for the time. Without an answer it is said again, later each time.
  askTime(challenge = crypto.randomBytes(16).toString('base64url'), first = false) {
    this.questions = [...this.questions.slice(-7), { challenge, session: this.session, at: this.mono(), first }]
    this.askAt = this.mono() + this.askWait
    this.askWait = Math.min(2 * this.askWait, 300_000)
    this.status(challenge)
  }
  status(challenge) {
    const of = (role, d = this.doc(role)) => d && { epoch: d.epoch, seq: d.seq }, { item, frame, why } = this.shown
    this.publish('status', { v: 1, state: 'online', session: this.session, at_ms: this.now, challenge,
      software: 'node-sign', class: this.config.class,
      keys: of('keys'), program: of('program'), alerts: of('alerts'), clock: this.trusted ? 'trusted' : 'untrusted',
      showing: { item, frame: frame?.sha256 ?? '', why }, faults: this.disagrees ? ['clock-disagrees'] : undefined })
  }
  ack(role, d, state, more) {
    if (!this.session) return
    this.publish('ack', { v: 1, at_ms: this.now, role, epoch: d?.epoch ?? 0, seq: d?.seq ?? 0, state, ...more })
  }
  ackAlert({ role, a, set }, state, more) {
    this.ack(role, set, (this.acked[a.id] = state), { alert: a.id, frame: a.frames[0]?.sha256, ...more })
  }

  message(topic, data) {
    const role = topic === 'led/v1/keys' ? 'keys' :
      topic.startsWith(this.base) ? topic.slice(this.base.length) : topic.split('/')[2]
    const pushed = this.topics.includes(topic.replace(/[^/]*$/, '+')) && data.length <= 900 << 10 &&
      topic.endsWith('/' + sha256(data))
    if (data.length && this.topics.includes(topic)) this.accept(role, topic, data)
    else if (pushed || (data.length && this.wanted.has(topic))) this.gotFrame(topic, data, this.wanted.get(topic)?.f)
    this.tick()
  }
  accept(role, topic, data) {
    const { root, root_spare: spare, sign, class: cls } = this.config, keys = this.doc('keys'), digest = sha256(data)
    const roots = (this.state.spare ? [spare] : [root, spare]).map((x) => ({ x, kid: kidOf(x) }))
    const signed = role === 'program' || sets.includes(role)
    let claimed = {}
    try {
      const s = split(data, `ledcast-${role}`)
      const time = role === 'request' ? signedTime(s) : undefined // judged by its own time, whatever the clock says
      const nowMS = time ?? this.now, trusted = time !== undefined || this.trusted
      const late = (k) => (trusted || signed) && nowMS >= k.exp * 1000
      const good = (k) => k.kid === s.kid && k.role === role && !(trusted && nowMS < k.nbf * 1000) && !late(k)
      const x = (role === 'keys' ? roots.find((k) => k.kid === s.kid) :
        !keys?.revoked.includes(s.kid) && keys?.keys.find(good))?.x
      verify(s, x)
      const name = (d) => (role === 'keys' ? role : `${role}|${d.epoch}`)
      const floor = (d, f = d.op === 'time' ? undefined : this.state.floors[name(d)]) =>
        (f?.epoch < d.epoch ? null : f?.epoch > d.epoch ? { seq: Infinity } : f)
      const { d, repeat } = open(s.payload, role,
        { sign, cls, epoch: keys?.epoch, floor, digest, nowMS, trusted }, (h) => (claimed = h))
      if (role === 'program' && this.pending?.d.epoch === d.epoch && this.pending.d.seq > d.seq) {
        throw new Refused('stale-seq', d.seq)
      }
      if (time !== undefined && nowMS < keys.nbf * 1000) throw new Refused('not-yet', 'the key set')
      if (time !== undefined && nowMS >= keys.exp * 1000) throw new Refused('expired', 'the key set')
      this.waiting.delete(topic)
      const keep = () => {
        this.state.floors[name(d)] = { epoch: d.epoch, seq: d.seq, digest }
        this.state.docs[role] = { d, digest, kid: s.kid }
        this.save()
      }
      if (signed || !repeat) {
        this[sets.includes(role) ? 'alerts' : role](d, keep, { role, repeat, kid: s.kid, spare: x === spare })
      }
    } catch (e) {
      if (!(e instanceof Refused)) throw e
      const doubtful = ['unknown-key', 'not-yet', 'expired'].includes(e.reason)
      if (role !== 'request' && (doubtful || e.reason === 'wrong-epoch')) this.waiting.set(topic, data)
      if (doubtful && !(this.mono() < this.doubtedAt + 60_000)) {
        Object.assign(this, { askWait: 5000, askAt: this.mono(), doubtedAt: this.mono() })
      }
      if (signed) this.ack(role, claimed, 'rejected', { reason: e.reason })
    }
  }
  retry() {
    for (const [topic, data] of [...this.waiting]) {
      this.waiting.delete(topic)
      this.message(topic, data)
    }
  }

  keys(d, keep, { spare }) {
    if (spare) this.state.spare = true
    for (const role of ['program', ...sets]) {
      if (d.revoked.includes(this.state.docs[role]?.kid)) delete this.state.docs[role]
    }
    if (d.revoked.includes(this.pending?.kid)) this.pending = null
    keep()
    this.retry()
  }
  request(d, keep) {
    if (d.op === 'time') return this.answered(d)
    keep()
    if (d.op === 'resync') this.subscribe(this.topics)
  }
  // answered judges a signed time: an untrusted clock takes it; a trusted one moves by over 60 s, or away from NTP by
  // over 5 s, only when a second answer agrees, 30 s or more later.
  answered(d) {
    const mono = this.mono(), [systemMS, ntp] = this.system(), near = (a, b, within) => Math.abs(a - b) <= within
    const q = this.questions.find((x) => mono - x.at <= 30_000 &&
      (d.challenge ? d.challenge === x.challenge : x.first && d.session === x.session))
    if (!q) return
    this.questions = []
    const at = d.at_ms + Math.floor((mono - q.at) / 2), was = this.disagrees, o = this.offer
    Object.assign(this, { askWait: 5000, askAt: mono + 3_600_000 * (0.9 + Math.random() / 5) })
    if (this.trusted && ntp && near(at, systemMS, 5000)) {
      this.disagrees = false
      this.setTime(systemMS, true)
    } else if (this.trusted && ((ntp && !this.disagrees) || !near(at, this.now, 60_000))) {
      const agrees = o && near(at - o.at, mono - o.mono, 5000)
      this.askAt = mono + 31_000
      if (agrees && mono - o.mono < 30_000) return
      if (!agrees) return void (this.offer = { at, mono })
      this.disagrees = ntp
      this.setTime(at, true)
    } else this.setTime(at, true)
    this.offer = null
    if (was !== this.disagrees) this.status()
  }
  // setTime sets effective time. A signed time that takes a wrong one back lets an alert run on that the wrong one
  // ended, as long as it has not run for its own length.
  setTime(ms, signed) {
    const before = this.now, first = !this.trusted
    Object.assign(this, { offset: ms - this.mono(), trusted: true })
    for (const { a } of this.running) {
      const run = this.runs[a.id], over = this.state.ended[a.id]
      const left = Math.min(a.until * 1000 - ms, (a.until - a.from) * 1000 - this.ran(a.id))
      if (!signed || ms >= before || left <= 0 || (over && !(over === 'clock' && before >= a.until * 1000))) continue
      run.deadline = this.mono() + left
      delete this.state.ended[a.id]
      if (over && this.acked[a.id] === 'ended') this.acked[a.id] = 'received'
    }
    sets.forEach((role) => this.run(this.doc(role)))
    if (first || Math.abs(ms - before) >= 1000) this.retry()
  }
  // ran is how long an alert has run on this sign.
  ran(id) {
    const since = this.runs[id]?.since
    return (this.state.ran[id] ?? 0) + (since === undefined ? 0 : this.mono() - since)
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
    if (!this.pictures.has(key)) {
      const data = fs.readFileSync(path.join(this.dir, 'frames', f.sha256))
      this.pictures.set(key, picture(data, f, this.config.class))
    }
    return this.pictures.get(key)
  }
  has(f) { try { return Boolean(this.picture(f)) } catch { return false } }
  fetch(topic, f) {
    if (this.mono() < this.wanted.get(topic)?.until) return
    this.wanted.set(topic, { f, until: this.mono() + 30_000 })
    this.subscribe([topic])
  }
  refuse(f, reason) {
    if (!this.pending?.d.frames.some((g) => g.sha256 === f.sha256)) return
    this.ack('program', this.pending.d, 'rejected', { reason, frame: f.sha256 })
  }
  gotFrame(topic, data, f) {
    try { if (f) picture(data, f, this.config.class) } catch (e) { return this.refuse(f, e.reason) }
    this.write(`frames/${sha256(data)}`, data)
    this.wanted.delete(topic)
    this.advance()
    this.ready()
  }

  alerts(d, keep, { role, repeat }) {
    const gone = this.running.filter((x) => x.role === role && !d.alerts.some((a) => a.id === x.a.id) &&
      (this.acked[x.a.id] ?? 'ended') !== 'ended')
    d.ended.forEach((e) => (this.state.ended[e.id] = true))
    if (!repeat) keep()
    this.run(d)
    gone.forEach((x) => this.ackAlert({ ...x, set: d }, 'ended'))
    this.ack(role, d, 'received')
    this.ready(role)
  }
  // run gives each alert a monotonic deadline, which this only lowers: no jump of the clock prolongs an alert.
  run(set) {
    for (const a of set?.alerts ?? []) {
      // A set that holds an alert after its end was issued by a wrong clock.
      const iat = set.iat < a.until ? set.iat : a.from
      const from = Math.floor(this.now / 1000) - Math.max(0, iat - a.from)
      const run = (this.runs[a.id] ??= { deadline: Infinity, from })
      if (this.trusted) run.from = a.from
      const left = this.trusted ? a.until * 1000 - this.now : (a.until - Math.max(a.from, iat)) * 1000
      run.deadline = Math.min(run.deadline, this.mono() + left)
    }
  }
  // ready acks alerts whose frames came, and those of the set that has just arrived.
  ready(fresh) {
    const ours = ({ a }) => reaches(a, this.config.sign, this.areas) && !this.state.ended[a.id]
    for (const x of this.running.filter(ours)) {
      const was = this.acked[x.a.id], missing = x.a.frames.filter((f) => !this.has(f))
      if (!missing.length && (!was || was === 'rejected')) this.ackAlert(x, 'received')
      else if (x.role === fresh) {
        this.ackAlert(x, missing.length ? 'rejected' : was, { reason: missing.length ? 'missing-frame' : undefined })
      }
      missing.forEach((f) => this.fetch(`led/v1/${x.role}/${this.config.class}/frames/${f.sha256}`, f))
    }
  }

  // followNTP takes the system's time over, which is looked at each minute, unless the controller disagrees.
  followNTP() {
    const [ms, ntp] = this.system()
    this.looked = this.mono()
    if (ntp && this.disagrees) this.disagrees = Math.abs(ms - this.now) > 5000
    if (ntp && !this.disagrees) this.setTime(ms, false)
  }

  // tick ends what is over and returns what is on the face: why, item, frame, offset, percent and rgb.
  tick() {
    if (this.mono() >= this.looked + 60_000) this.followNTP()
    if (this.session && this.mono() >= this.askAt) this.askTime()
    const { config: { sign }, areas, trusted, contactMS, state: { ended } } = this
    for (const x of this.running) {
      const run = this.runs[x.a.id]
      const over = this.mono() >= run.deadline || (trusted && this.now >= x.a.until * 1000)
      if (over && !ended[x.a.id]) ended[x.a.id] = 'clock'
      if (ended[x.a.id]) Object.assign(this.state.ran, { [x.a.id]: this.ran(x.a.id) }, (run.since = undefined))
      else if (this.now >= x.a.from * 1000) run.since ??= this.mono()
      if (ended[x.a.id] && (this.acked[x.a.id] ?? 'ended') !== 'ended') this.ackAlert(x, 'ended')
    }
    for (const [topic, { f, until }] of this.wanted) if (this.session && this.mono() >= until) {
      this.refuse(f, 'missing-frame')
      this.fetch(topic, f)
    }
    const alerts = this.running.map((x) => ({ ...x.a, test: x.role === 'alerts-test' }))
      .filter((a) => !ended[a.id] && a.frames.every((f) => this.has(f)))
      .map((a) => ({ ...a, from: this.runs[a.id].from, until: this.runs[a.id].from + a.until - a.from }))
    const s = at(this.doc('program'), alerts, { sign, areas, trusted, contactMS }, this.now)
    this.shown = { ...s, rgb: this.pixels(s) }
    const alert = s.why === 'alert' && this.running.find((x) => x.a.id === s.item)
    if (alert && this.acked[s.item] !== 'showing') this.ackAlert(alert, 'showing')
    else if (!alert && s.frame && this.acked.program !== 'showing') {
      this.ack('program', this.doc('program'), (this.acked.program = 'showing'), { frame: s.frame.sha256 })
    }
    return this.shown
  }
  // pixels is the face row by row, before gamma and brightness.
  pixels({ frame, axis, offset }) {
    const [w, h] = size(this.config.class), out = Buffer.alloc(3 * w * h), rgb = frame && this.picture(frame)
    for (let i = 0; frame && i < w * h; i++) {
      const x = ((i % w) + (axis === 'x' ? offset : 0)) % frame.w
      const y = (Math.floor(i / w) + (axis === 'y' ? offset : 0)) % frame.h
      rgb.copy(out, 3 * i, 3 * (y * frame.w + x), 3 * (y * frame.w + x) + 3)
    }
    return out
  }
}
