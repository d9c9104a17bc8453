// node run.mjs CONFIG DIR: plays a sign. Its output is a JSON line at each change of what is on the face.
import crypto from 'node:crypto'
import fs from 'node:fs'
import mqtt from 'mqtt'
import { Sign } from './sign.mjs'
import { sha256 } from './wire.mjs'

const [file, dir] = process.argv.slice(2)
const config = JSON.parse(fs.readFileSync(file)), { broker, username, password, ca } = config
const topic = (leaf) => `led/v1/signs/${config.sign}/${leaf}`
const mono = () => Math.floor(performance.now())
const publish = (leaf, what) => client.publish(topic(leaf), JSON.stringify(what), { qos: 1, retain: leaf === 'status' })
const subscribe = (topics) => topics.length && client.subscribe(topics, { qos: config.qos ?? 0 })
const sign = new Sign(config, dir, { mono, system: () => [Date.now(), false], publish, subscribe })
let client, backoff = 1000, last, fill

// more subscribes again while the sign has nothing: without keys it cannot read a request to do so.
function more(ms) {
  clearTimeout(fill)
  fill = setTimeout(() => {
    if (!sign.session || (sign.doc('keys') && (sign.doc('program') || sign.pending))) return
    subscribe(sign.topics)
    more(Math.min(2 * ms, 300_000))
  }, ms)
}

function connect() {
  const session = crypto.randomBytes(12).toString('hex')
  const payload = JSON.stringify({ v: 1, state: 'offline', session, at_ms: sign.now })
  client = mqtt.connect(broker, { clientId: username, username, password, ca: ca && fs.readFileSync(ca),
    protocolVersion: 4, keepalive: 30, reconnectPeriod: 0,
    will: { topic: topic('status'), payload, qos: 1, retain: true } })
  client.on('connect', () => client.subscribe(sign.topics, () => {
    backoff = 1000
    sign.connected(session)
    more(5_000)
  }))
  client.on('message', (t, data) => {
    if (t.startsWith('led/v1/frames/')) client.unsubscribe(t)
    sign.message(t, data)
  })
  client.on('error', (e) => console.error(e.message)) // close follows
  client.on('close', () => {
    sign.disconnected()
    setTimeout(connect, Math.random() * backoff)
    backoff = Math.min(2 * backoff, 30_000)
  })
}

connect()
setInterval(() => sign.save(), 60_000)
setInterval(() => sign.session && sign.status(), 300_000)
setInterval(() => sign.session && subscribe(sign.topics), 600_000 * (0.9 + 0.2 * Math.random()))
setInterval(() => {
  const { why, item, frame, rgb } = sign.tick(), now = { why, item, frame: frame?.sha256 ?? '' }
  if (JSON.stringify(now) !== last) console.log(JSON.stringify({ at_ms: sign.now, ...now, rgb_sha256: sha256(rgb) }))
  last = JSON.stringify(now)
}, 20)
