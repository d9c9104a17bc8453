// Listens on a free port, says which, and says what arrives: one JSON a line.
import { createRequire } from 'node:module'
const { Receiver } = createRequire(import.meta.url)('sacn')

const say = (what) => console.log(JSON.stringify(what))
const universes = process.argv.slice(2).map(Number)
const receiver = new Receiver({ universes, port: 0, iface: '127.0.0.1' })
receiver.on('packet', (p) => say({
  universe: p.universe, sequence: p.sequence, priority: p.priority, options: p.options, sync: p.syncUniverse,
  source: p.sourceName, cid: p.cid.toString('hex'), slots: p.propertyValueCount - 1,
  lengths: [p.root_fl, p.frame_fl, p.dmp_fl], data: p.payloadAsBuffer.toString('hex'),
}))
receiver.on('PacketCorruption', (e) => say({ wrong: `corrupt: ${e.message}` }))
receiver.on('PacketOutOfOrder', (e) => say({ wrong: e.message }))
receiver.on('error', () => {}) // no multicast on this network; unicast comes all the same
receiver.socket.on('listening', () => say({ port: receiver.socket.address().port }))
process.stdin.on('end', () => process.exit(0)).resume()
