// Judges proofs of play as a controller does: node played.mjs FILE reads vectors like docs/vectors/proofs/played.json,
// says which verdicts are not those that stand there, and ends with status 1 if there are any.
import fs from 'node:fs'
import { Refused, kidOf, parse, schema, sha256, split, fit, verify } from './wire.mjs'

const need = (ok, reason, detail) => { if (!ok) throw new Refused(reason, detail) }

// open checks the form, the signature and the numbers of a record against the sign's pinned key.
export function open(bytes, sign, x) {
  need(bytes.length <= 64 << 10, 'too-large', bytes.length)
  const s = split(bytes, 'ledcast-played')
  need(s.kid === kidOf(x), 'unknown-key', s.kid)
  verify(s, x)
  const d = parse(s.payload), time = d.until_ms - d.from_ms
  fit(d, schema('played'), 'played')
  need(d.sign === sign, 'wrong-sign', d.sign)
  need((d.n === 1) === (d.prev === '') && time >= 0, 'bad-document', 'prev or times')
  need(d.plays.every((p) => p.count <= Math.max(p.ms, 1)), 'bad-document', 'more showings than milliseconds')
  let left = time
  for (const p of d.plays) need((left -= p.ms) >= 0, 'bad-document', 'plays of more than its time')
  return d
}

// Keeper keeps the records of one sign and gives the verdict on each.
export class Keeper {
  constructor(sign, x) { Object.assign(this, { sign, x, chains: {} }) }
  take(bytes) {
    let d
    try { d = open(bytes, this.sign, this.x) } catch (e) { if (e instanceof Refused) return e.reason; throw e }
    const kept = (this.chains[d.chain] ??= [{ n: 0, digest: '' }]), digest = sha256(bytes), last = kept.at(-1)
    if (d.n <= last.n) return kept.some((k) => k.n === d.n && k.digest === digest) ? 'repeat' : 'altered'
    if (d.n === last.n + 1 && d.prev !== last.digest) return 'broken'
    kept.push({ n: d.n, digest })
    return d.n > last.n + 1 ? 'gap' : 'kept'
  }
}

const { sign, key, cases } = JSON.parse(fs.readFileSync(process.argv[2]))
for (const { name, records } of cases) {
  const keeper = new Keeper(sign, key)
  records.forEach(({ doc, verdict }, i) => {
    const got = keeper.take(Buffer.from(doc))
    if (got !== verdict) { console.log(`${name}: record ${i + 1} is ${got}, want ${verdict}`); process.exitCode = 1 }
  })
}
