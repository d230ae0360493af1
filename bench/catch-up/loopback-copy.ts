import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

const CHUNK_BYTES = 1024 * 1024

/**
 * What this machine moves from a file over a loopback socket into another file, bytes a second: as `cat FILE | nc` and
 * `nc -l > FILE` do, and without an fsync as they have none. Both files are gone afterwards.
 */
export async function loopbackBytesPerSecond(directory: string, bytes: number): Promise<number> {
  const [from, to] = [join(directory, 'sent'), join(directory, 'received')]
  await writeFileOf(from, bytes)
  const sender = fork(join(import.meta.dirname, 'loopback-sender.js'), [from])
  try {
    const [port] = (await once(sender, 'message')) as [number]
    const begunAt = performance.now()
    await pipeline(connect(port, '127.0.0.1'), createWriteStream(to, { highWaterMark: CHUNK_BYTES }))
    return Math.round(bytes / ((performance.now() - begunAt) / 1000))
  } finally {
    sender.disconnect()
    await once(sender, 'exit')
    for (const path of [from, to]) rmSync(path, { force: true })
  }
}

async function writeFileOf(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'w')
  try {
    for (let written = 0; written < bytes; ) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, bytes - written), written % 251)
      await file.write(chunk)
      written += chunk.length
    }
  } finally {
    await file.close()
  }
}
