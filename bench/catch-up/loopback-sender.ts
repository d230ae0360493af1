import { createReadStream } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { pipeline } from 'node:stream/promises'

/** A process of its own, `loopback-sender.js FILE`: whoever connects is sent that file. It tells its parent the port. */
const [path = ''] = process.argv.slice(2)
const server = createServer((socket) => {
  void pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), socket).catch(() => undefined)
})
server.listen(0, '127.0.0.1', () => {
  // Listening on a port, not on a path.
  const { port } = server.address() as AddressInfo
  process.send?.(port)
})
process.on('disconnect', () => process.exit())
