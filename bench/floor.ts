import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import * as grpc from '@grpc/grpc-js'
import { echoMethod } from './echo.ts'
import { Latencies } from './latencies.ts'

/** What the machine itself costs, measured in the same run as everything that is compared with it. Milliseconds. */
export interface Floor {
  readonly fdatasyncP50Ms: number
  readonly fdatasyncP99Ms: number
  readonly streamRttP50Ms: number
}

const SYNC_WRITES = 400
const SYNC_BYTES = 256
const ROUND_TRIPS = 1000
const WARM_UP = 50

export async function measureFloor(directory: string): Promise<Floor> {
  const sync = measureSync(directory)
  const stream = await measureStream()
  return {
    fdatasyncP50Ms: sync.percentileMs(50),
    fdatasyncP99Ms: sync.percentileMs(99),
    streamRttP50Ms: stream.percentileMs(50),
  }
}

/** Appends of 256 bytes, each followed by fdatasync, one after the other, in the directory that the nodes write to. */
function measureSync(directory: string): Latencies {
  const path = join(directory, 'floor')
  const file = openSync(path, 'w')
  const bytes = Buffer.alloc(SYNC_BYTES, 1)
  const latencies = new Latencies()
  for (let number = 0; number < SYNC_WRITES + WARM_UP; number += 1) {
    const startedAt = performance.now()
    writeSync(file, bytes)
    fdatasyncSync(file)
    if (number >= WARM_UP) latencies.record(performance.now() - startedAt)
  }
  closeSync(file)
  rmSync(path)
  return latencies
}

/** Messages of 256 bytes there and back on one gRPC stream to another process, one at a time. */
async function measureStream(): Promise<Latencies> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('echo.js', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  try {
    const { stdout } = child
    if (stdout === null) throw new Error('a child process without its pipe')
    const [port] = (await once(createInterface({ input: stdout }), 'line')) as [string]
    const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
    const { path, requestSerialize, responseDeserialize } = echoMethod
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
    const latencies = await roundTrips(stream)
    client.close()
    return latencies
  } finally {
    child.kill()
  }
}

function roundTrips(stream: grpc.ClientDuplexStream<Buffer, Buffer>): Promise<Latencies> {
  return new Promise((resolve, reject) => {
    const latencies = new Latencies()
    const bytes = Buffer.alloc(SYNC_BYTES, 1)
    let number = 0
    let sentAt = performance.now()
    stream.on('error', reject)
    stream.on('data', () => {
      if (number >= WARM_UP) latencies.record(performance.now() - sentAt)
      number += 1
      if (number === ROUND_TRIPS + WARM_UP) {
        stream.removeListener('error', reject)
        stream.on('error', () => undefined)
        stream.end()
        resolve(latencies)
        return
      }
      sentAt = performance.now()
      stream.write(bytes)
    })
    stream.write(bytes)
  })
}
