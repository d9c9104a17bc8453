// What is on the face at time t (ms): docs/protocol.md, "What is on the face at time t". No clock, disk or network of
// its own.
import { length } from './wire.mjs'

const mod = (a, n) => ((a % n) + n) % n
const covers = (area, other) => other === area || other.startsWith(area + '/')
export const reaches = (a, sign, areas) =>
  a.signs.includes(sign) || a.areas.some((x) => areas.some((y) => covers(x, y)))
const bytes = (a, b) => Buffer.compare(Buffer.from(a.id), Buffer.from(b.id))

function play(why, item, frames, steps, pos) {
  const { frame, scroll } = steps.find((s) => pos < s.ms || ((pos -= s.ms), false)), f = frames[frame]
  const offset = scroll ? mod(Math.floor((pos * scroll.px_s) / 1000), scroll.axis === 'y' ? f.h : f.w) : 0
  return { why, item, frame: f, axis: scroll?.axis, offset }
}

// p is the program or undefined; alerts are those with all their frames; c is { sign, areas, trusted, contactMS }.
export function at(p, alerts, c, t) {
  const level = (entries, other) => entries?.find((b) => b.from * 1000 <= t && t < b.until * 1000)?.percent ?? other
  const percent = level(p?.brightness, 100), floor = level(p?.alert_floor, 0)
  const on = (a) => !a.drill && reaches(a, c.sign, c.areas) && a.from * 1000 <= t && t < a.until * 1000
  const running = alerts.filter(on).sort((a, b) => b.priority - a.priority || b.from - a.from || bytes(a, b))
  const exclusive = (a) => t < (a.from + a.exclusive_s) * 1000, others = running.filter((a) => !exclusive(a))
  const S = others.reduce((n, a) => n + a.share_ms, 0), C = Math.max(others[0]?.cycle_ms ?? 1, S), turn = mod(t, C)
  let o = 0
  for (const a of running) {
    const show = (pos) => ({ ...play('alert', a.id, a.frames, a.steps, mod(pos, length(a.steps))),
      percent: a.test ? percent : Math.max(percent, floor) })
    if (exclusive(a)) return show(t - a.from * 1000)
    if (o <= turn && turn < o + a.share_ms) return show(turn - o)
    o += a.share_ms
  }
  return { ...fromProgram(p, c, t, running.length ? Math.floor(t / C) * (C - S) + turn - S : t), percent }
}

function fromProgram(p, c, t, pos) {
  if (!p) return { why: 'dark', item: '', offset: 0 }
  const segment = p.segments.find((s) => s.from * 1000 <= t && t < s.until * 1000), end = p.exp * 1000
  let [loop, why] = c.trusted && segment ? [segment.loop, 'program'] : [p.fallback, 'fallback']
  if (c.trusted && (t >= end || t >= c.contactMS + p.comm_loss.after_s * 1000)) {
    [loop, why] = [p.comm_loss.loop, 'comm-loss']
  }
  if (loop === -1 || (c.trusted && t >= end + 30 * 86400_000)) return fromProgram()
  const items = p.loops[loop].order.map((i) => p.items[i])
  pos = mod(pos - p.loops[loop].anchor * 1000, items.reduce((n, i) => n + length(i.steps), 0))
  const item = items.find((i) => pos < length(i.steps) || ((pos -= length(i.steps)), false))
  return play(why, item.id, p.frames, item.steps, pos)
}
