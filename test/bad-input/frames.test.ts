import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js'
import { readFileSync } from 'node:fs'
import { connect as http2Connect } from 'node:http2'
import { connect as tcpConnect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { groupId, nodeId, term } from '../../src/base/brand.ts'
import { Random } from '../../src/base/random.ts'
import { parseAddress } from '../../src/cli/cluster/address.ts'
import { encodeValue } from '../../src/codec/value/encode.ts'
import type { PeerFrame } from '../../src/node/ports/peer-transport.ts'
import { ByteWriter } from '../../src/protocol/bytes.ts'
import { decodeErrorInfo, STATUS_DETAILS_KEY } from '../../src/protocol/error-info.ts'
import { wrapFrame } from '../../src/protocol/frame-message.ts'
import { FRAME_VERSION } from '../../src/protocol/frame.ts'
import { type OpenMessage, writeUp } from '../../src/protocol/up-frame.ts'
import { encodePeerFrame } from '../../src/transport/peer-frame.ts'
import { PEER_STREAM_PATH } from '../../src/transport/peer-service.ts'
import { compileOnce } from '../cluster/processes.ts'
import { expectExplained, ServedNode } from './served-node.ts'

const CONNECT_PATH = '/holdfast.v1.SessionService/Connect'
const SEED = 0x62616421

let node: ServedNode
beforeAll(async () => {
  compileOnce()
  node = await ServedNode.start()
}, 120_000)
afterAll(() => node?.close())

const asIs = (bytes: Buffer): Buffer => bytes

/** Sends messages on one stream; resolves with the error that ended it, or null when our own end of it was answered. */
function sendAll(path: string, messages: readonly Buffer[]): Promise<ServiceError | null> {
  const client = new Client(node.endpoint, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_send_message_length': -1,
  })
  onTestFinished(() => client.close())
  const call = client.makeBidiStreamRequest<Buffer, Buffer>(path, asIs, asIs)
  return new Promise((resolve) => {
    call.on('data', () => undefined)
    call.on('error', (error: ServiceError) => resolve(error))
    call.on('end', () => resolve(null))
    for (const message of messages) call.write(message)
    call.end()
  })
}

/** The stable code on a Connect stream is in the ErrorInfo, on a peer stream in front of the sentence. */
function reasonOf(error: ServiceError | null): string | null {
  const details = error?.metadata.get(STATUS_DETAILS_KEY)[0]
  if (details instanceof Buffer) return decodeErrorInfo(details)?.reason ?? null
  return /^([A-Z_]+): /.exec(error?.details ?? '')?.[1] ?? null
}

function openFrame(change: Partial<OpenMessage> = {}): Buffer {
  const writer = new ByteWriter()
  writer.byte(FRAME_VERSION)
  writeUp(writer, {
    kind: 'open',
    channel: 1,
    secret: new Uint8Array(32).fill(7),
    principal: 'user:frames',
    roles: ['a', 'b'],
    capabilities: encodeValue({ region: 'ke' }),
    name: 'frames',
    timeoutMs: 3_600_000,
    validUntil: Date.now() + 60_000,
    ordered: false,
    ...change,
  })
  return writer.take()
}

/** Encoded capabilities that nest `depth` deep: by hand, because a client may send what no encoder writes. */
function nested(depth: number): Uint8Array {
  const level = Buffer.from([0x81, 0xa1, 0x61])
  return Buffer.concat([...Array.from({ length: depth }, () => level), Buffer.from([0xc0])])
}

/** A hello to this node as a peer would send it. */
function peerFrame(change: Partial<PeerFrame> = {}): PeerFrame {
  const { clusterId, instanceId } = JSON.parse(readFileSync(join(node.dataDirectory, 'HOLDFAST.json'), 'utf8'))
  return {
    clusterId,
    group: groupId(0),
    sender: nodeId('n9'),
    recipient: node.id,
    senderInstance: 'f'.repeat(32),
    recipientInstance: instanceId,
    body: { kind: 'hello', hasConfiguration: false, reply: false },
    ...change,
  }
}

const changed = (bytes: Buffer, at: number, value: number): Buffer => {
  const copy = Buffer.from(bytes)
  copy[at] = value
  return copy
}

async function expectRefused(
  path: string,
  scope: 'connection' | 'peer',
  message: Buffer,
  code = 'MALFORMED_FRAME',
): Promise<void> {
  const error = await sendAll(path, [message])
  expect(reasonOf(error)).toBe(code)
  expect(error?.code).toBe(scope === 'connection' ? status.INVALID_ARGUMENT : status.FAILED_PRECONDITION)
  expectExplained(scope, code)
}

describe('Connect: a frame that cannot be read ends its stream with MALFORMED_FRAME, and no other', () => {
  test('bytes that are no message, no frame, of another version or of an unknown kind', async () => {
    const before = await node.position()
    for (const bytes of [
      Buffer.from([0x55, 1, 2, 3]),
      wrapFrame(Buffer.from([9, 9])),
      wrapFrame(Buffer.from([FRAME_VERSION, 99, 1])),
      wrapFrame(Buffer.from([0])),
    ]) {
      await expectRefused(CONNECT_PATH, 'connection', bytes)
    }
    expect(await node.position()).toEqual(before)
    await node.expectUnharmed()
  })

  test('an open that fits a frame and no log entry is refused, and neither its stream nor the node ends', async () => {
    const before = await node.position()
    const changes: Partial<OpenMessage>[] = [
      { name: 'x'.repeat(600) },
      { timeoutMs: 400_000_000_000 },
      { timeoutMs: Number.MAX_SAFE_INTEGER },
      { capabilities: nested(60) },
      { capabilities: nested(5_000) },
    ]
    for (const change of changes) expect(await sendAll(CONNECT_PATH, [wrapFrame(openFrame(change))])).toBe(null)
    expect(await node.position()).toEqual(before)
    await node.expectUnharmed()
  })

  test('a frame cut off at any byte', async () => {
    const before = await node.position()
    const frame = openFrame()
    // One byte is a frame without messages; the whole is a good one.
    const cuts = Array.from({ length: frame.length - 2 }, (_, at) => at + 2)
    await Promise.all(
      cuts.map((length) => expectRefused(CONNECT_PATH, 'connection', wrapFrame(frame.subarray(0, length)))),
    )
    expect(await node.position()).toEqual(before)
    await node.expectUnharmed()
  })

  test('lengths far beyond the bytes that follow', async () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]
    const before = await node.position()
    // The secret of an open, the name of a request's machine, and the message around the frame itself.
    await expectRefused(CONNECT_PATH, 'connection', wrapFrame(Buffer.from([FRAME_VERSION, 1, 1, ...huge, 1, 2])))
    await expectRefused(
      CONNECT_PATH,
      'connection',
      wrapFrame(Buffer.from([FRAME_VERSION, 3, 1, 1, 1, 0, ...huge, 1, 2])),
    )
    await expectRefused(CONNECT_PATH, 'connection', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1]))
    await expectRefused(CONNECT_PATH, 'connection', wrapFrame(Buffer.alloc(5 * 1024 * 1024, 3)))
    expect(await node.position()).toEqual(before)
    await node.expectUnharmed()
  })

  test(`random bytes and randomly changed frames never harm the process (seed ${SEED})`, async () => {
    const random = new Random(SEED, 1)
    const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.below(256)))
    const noise = Array.from({ length: 40 }, () =>
      wrapFrame(Buffer.concat([Buffer.from([FRAME_VERSION]), bytes(random.below(200))])),
    )
    const frame = openFrame()
    const mutants = Array.from({ length: 60 }, () =>
      wrapFrame(changed(frame, 1 + random.below(frame.length - 1), random.below(256))),
    )
    const ends = await Promise.all([...noise, ...mutants].map((message) => sendAll(CONNECT_PATH, [message])))
    // Some of it is by chance a frame; what is not is told so.
    for (const error of ends) if (error !== null) expect(reasonOf(error)).toBe('MALFORMED_FRAME')
    expect(ends.filter((error) => error !== null).length).toBeGreaterThan(40)
    await node.expectUnharmed()
  })
})

describe('the peer stream: a frame that is not a peer’s is refused with its code, and nothing comes of it', () => {
  test('bytes that are no message, no frame, and of another version', async () => {
    const before = await node.position()
    const good = encodePeerFrame(peerFrame())
    for (const bytes of [Buffer.from([0x55, 1]), wrapFrame(Buffer.alloc(3)), wrapFrame(changed(good, 0, 77))]) {
      await expectRefused(PEER_STREAM_PATH, 'peer', bytes)
    }
    expect(await sendAll(PEER_STREAM_PATH, [wrapFrame(good)])).toBe(null)
    expect(await node.position()).toEqual(before)
    await node.expectUnharmed()
  })

  test('a frame cut off at any byte, a huge header, and a header whose checksum does not match', async () => {
    const before = await node.position()
    const good = encodePeerFrame(peerFrame())
    const cuts = Array.from({ length: good.length - 1 }, (_, at) => at + 1)
    await Promise.all(
      cuts.map((length) => expectRefused(PEER_STREAM_PATH, 'peer', wrapFrame(good.subarray(0, length)))),
    )
    const huge = Buffer.from(good)
    huge.writeUInt32LE(0xffffffff, 1)
    await expectRefused(PEER_STREAM_PATH, 'peer', wrapFrame(huge))
    const flipped = changed(good, good.length - 1, (good.at(-1) ?? 0) ^ 1)
    await expectRefused(PEER_STREAM_PATH, 'peer', wrapFrame(flipped), 'CORRUPT_FRAME')
    expect(await node.position()).toEqual(before)
    await node.expectUnharmed()
  })

  const strangers: readonly (readonly [code: string, change: Partial<PeerFrame>])[] = [
    ['WRONG_CLUSTER', { clusterId: 'other' }],
    ['WRONG_GROUP', { group: groupId(7) }],
    ['WRONG_RECIPIENT', { recipient: nodeId('n8') }],
    ['WRONG_INSTANCE', { recipientInstance: '0'.repeat(32) }],
  ]
  test.each(strangers)('%s', async (code, change) => {
    const before = await node.position()
    await expectRefused(PEER_STREAM_PATH, 'peer', wrapFrame(encodePeerFrame(peerFrame(change))), code)
    expect(await node.position()).toEqual(before)
    await node.expectUnharmed()
  })

  test('a vote and entries from a node that is no member change neither term nor log', async () => {
    const before = await node.position()
    const far = term(1_000_000)
    const vote = { kind: 'requestVote', term: far, lastLogIndex: 1_000_000, lastLogTerm: far } as unknown
    const entries = {
      kind: 'appendEntries',
      term: far,
      prevLogIndex: 0,
      prevLogTerm: 0,
      leaderCommit: 9,
      sequence: 1,
      runs: [{ first: 1, last: 2, term: far }],
      configurations: [],
    } as unknown
    for (const message of [vote, entries]) {
      const records = message === entries ? Buffer.alloc(300, 5) : new Uint8Array(0)
      const body = { kind: 'raft', message, records, wallMs: Date.now() } as PeerFrame['body']
      expect(await sendAll(PEER_STREAM_PATH, [wrapFrame(encodePeerFrame(peerFrame({ body })))])).toBe(null)
    }
    expect(await node.position()).toEqual(before)
    await node.expectUnharmed()
  })

  test(`random bytes and randomly changed frames never harm the process (seed ${SEED})`, async () => {
    const random = new Random(SEED, 2)
    const good = encodePeerFrame(peerFrame())
    const noise = Array.from({ length: 40 }, () =>
      wrapFrame(Buffer.from(Array.from({ length: 1 + random.below(200) }, () => random.below(256)))),
    )
    const mutants = Array.from({ length: 60 }, () => {
      const at = random.below(good.length)
      return wrapFrame(changed(good, at, (good[at] ?? 0) ^ (1 + random.below(255))))
    })
    const before = await node.position()
    const ends = await Promise.all([...noise, ...mutants].map((message) => sendAll(PEER_STREAM_PATH, [message])))
    for (const error of ends) expect(['MALFORMED_FRAME', 'CORRUPT_FRAME']).toContain(reasonOf(error))
    expect(await node.position()).toEqual(before)
    await node.expectUnharmed()
  })
})

describe('below gRPC', () => {
  test('a message that claims 2 GiB ends its call and holds no memory for it', async () => {
    const session = http2Connect(`http://${node.endpoint}`)
    onTestFinished(() => session.destroy())
    for (const path of [CONNECT_PATH, PEER_STREAM_PATH]) {
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      })
      const ended = new Promise<string>((resolve) => {
        stream.on('trailers', (trailers) => resolve(String(trailers['grpc-status'])))
        stream.on('response', (headers) => {
          if (headers['grpc-status'] !== undefined) resolve(String(headers['grpc-status']))
        })
        stream.on('error', () => resolve('reset'))
      })
      stream.on('data', () => undefined)
      stream.write(Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]))
      expect(await ended).toBe(String(status.RESOURCE_EXHAUSTED))
    }
    await node.expectUnharmed()
  })

  test(`random bytes on the port, half a request, another protocol and silence (seed ${SEED})`, async () => {
    const random = new Random(SEED, 3)
    const { host, port } = parseAddress(node.endpoint, 'endpoint')
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.below(256)))
    const openings = [
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      preface.subarray(0, 10),
      ...Array.from({ length: 10 }, () => bytes(500)),
      ...Array.from({ length: 10 }, () => Buffer.concat([preface, bytes(500)])),
      // A frame header of HTTP/2 that announces 16 MiB.
      Buffer.concat([preface, Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])]),
      Buffer.alloc(0),
    ]
    const sockets = openings.map((opening) => {
      const socket = tcpConnect(port, host)
      onTestFinished(() => {
        socket.destroy()
      })
      socket.on('error', () => undefined)
      socket.on('data', () => undefined)
      return new Promise<void>((resolve) => {
        socket.once('close', () => resolve())
        socket.write(opening.length === 0 ? Buffer.alloc(0) : opening, () => resolve())
      })
    })
    await Promise.all(sockets)
    await node.expectUnharmed()
  })
})
