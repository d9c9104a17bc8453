// Puts the sign behind the test vectors: a case a line on standard input, its answers a line on standard output.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import readline from 'node:readline'
import { Sign } from './sign.mjs'
import { sha256 } from './wire.mjs'

function answer({ config, events }) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'node-sign-'))
  let sign, acks, status, mono = 0
  const say = (leaf, what) => (leaf === 'ack' ? acks.push(what) : (status = what))
  const link = { mono: () => mono, publish: say, subscribe() {} }
  const face = ({ why, item, frame, offset, percent, rgb }) =>
    ({ why, item, frame: frame?.sha256 ?? '', offset, percent, rgb_sha256: sha256(rgb) })
  const asked = () => { sign.status(); return { status } }
  const clock = (ms, ntp, started = mono) => () => [ms + mono - started, ntp]
  const act = {
    start: (e) => {
      sign?.save()
      sign = new Sign(config, dir, { ...link, system: clock(e.system_ms ?? 0, e.ntp ?? false) })
    },
    connect: (e) => sign.connected(e.session, e.challenge),
    'ask-time': (e) => sign.askTime(e.challenge),
    disconnect: () => sign.disconnected(),
    message: (e) => sign.message(e.topic, Buffer.from(e.base64, 'base64')),
    wait: (e) => { mono += e.ms; sign.tick() },
    ask: (e) => (e.what === 'face' ? { face: face(sign.tick()) } : asked()),
  }
  const answers = events.map((e) => {
    acks = []
    const more = act[e.do](e)
    return { acks, ...(e.do === 'ask' && more) }
  })
  fs.rmSync(dir, { recursive: true })
  return answers
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  let reply
  try { reply = { answers: answer(JSON.parse(line)) } } catch (e) { reply = { answers: [], error: e.stack } }
  console.log(JSON.stringify(reply))
}
