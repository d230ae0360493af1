import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { Metadata, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { groupId, logIndex, nodeId, term } from '../../src/base/brand.ts'
import { Random } from '../../src/base/random.ts'
import type { PeerFrame } from '../../src/node/ports/peer-transport.ts'
import type { DialPeer } from '../../src/transport/peer-connection.ts'
import { decodePeerFrame } from '../../src/transport/peer-frame.ts'
import { unwrapFrames } from '../../src/protocol/frame-message.ts'
import { peerServiceDefinition } from '../../src/transport/peer-service.ts'
import { GrpcPeerTransport } from '../../src/transport/peer-transport.ts'
import { realClock } from './fake-clock.ts'

const n1 = nodeId('n1')
const n2 = nodeId('n2')
const cleanups: (() => void)[] = []

afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

/** Collects things and lets a test wait for the n-th. */
class Collector<Item> {
  readonly items: Item[] = []
  private waiting: { count: number; resolve: () => void }[] = []
  push(item: Item): void {
    this.items.push(item)
    this.waiting = this.waiting.filter(({ count, resolve }) => {
      if (this.items.length < count) return true
      resolve()
      return false
    })
  }
  until(count: number): Promise<void> {
    return this.items.length >= count
      ? Promise.resolve()
      : new Promise((resolve) => this.waiting.push({ count, resolve }))
  }
}

function transportOf(
  id: typeof n1,
  peers: ReadonlyMap<typeof n1, string>,
  overrides: { clusterId?: string; instance?: string; electionTimeoutMs?: number; dial?: DialPeer } = {},
) {
  const frames = new Collector<PeerFrame>()
  const notes = new Collector<string>()
  const unreachable = new Collector<string>()
  const transport = new GrpcPeerTransport({
    identity: {
      clusterId: overrides.clusterId ?? 'c1',
      group: groupId(0),
      id,
      instance: overrides.instance ?? `instance-${id}`,
    },
    peers,
    clock: realClock,
    random: new Random(1),
    // Twice this is the connect watchdog: generous, because a busy machine is not a silent peer.
    electionTimeoutMs: overrides.electionTimeoutMs ?? 10_000,
    note: (note) => notes.push(`${note.event}`),
    ...(overrides.dial === undefined ? {} : { dial: overrides.dial }),
  })
  transport.listen({
    onFrame: (frame) => frames.push(frame),
    onPull: (_request, answer) => answer(null),
    onConnected: () => {},
    onUnreachable: (peer) => unreachable.push(peer),
  })
  cleanups.push(() => transport.close(() => {}))
  return { transport, frames, notes, unreachable }
}

function serve(transport: GrpcPeerTransport, port = 0): Promise<{ port: number; server: Server }> {
  const server = new Server()
  server.addService(peerServiceDefinition, transport.implementation)
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error !== null) return reject(error)
      cleanups.push(() => server.forceShutdown())
      resolve({ port: bound, server })
    })
  })
}

const vote = (overrides: Partial<PeerFrame> = {}, number = 1): PeerFrame => ({
  clusterId: 'c1',
  group: groupId(0),
  sender: n1,
  recipient: n2,
  senderInstance: 'instance-n1',
  recipientInstance: '',
  body: {
    kind: 'raft',
    wallMs: 1,
    records: new Uint8Array(0),
    message: {
      kind: 'requestVote',
      term: term(number),
      lastLogIndex: logIndex(1),
      lastLogTerm: term(1),
      transfer: false,
    },
  },
  ...overrides,
})

async function connectedPair(
  overrides: { clusterId?: string; instance?: string } = {},
  receiver = transportOf(n2, new Map(), overrides),
) {
  const { port, server } = await serve(receiver.transport)
  const sender = transportOf(n1, new Map([[n2, `127.0.0.1:${port}`]]))
  await sender.notes.until(1)
  expect(sender.notes.items).toEqual(['connected'])
  return { receiver, sender, port, server }
}

describe('the peer transport over gRPC', () => {
  test('frames arrive whole and in order', async () => {
    const { receiver, sender } = await connectedPair()
    for (let number = 1; number <= 200; number += 1) sender.transport.send(vote({}, number))
    await receiver.frames.until(200)
    expect(receiver.frames.items.map((frame) => (frame.body.kind === 'raft' ? frame.body.message.term : 0))).toEqual(
      Array.from({ length: 200 }, (_unused, index) => index + 1),
    )
    expect(receiver.frames.items[0]).toEqual(vote())
  })

  test('a question about keys that cannot be answered harms nobody, and the next one on its stream is answered', async () => {
    const { receiver, sender } = await connectedPair()
    receiver.transport.onKeys((_sender, [first]) =>
      first === 1 ? Promise.reject(new Error('it cannot')) : Promise.resolve(Uint8Array.of(7)),
    )
    const unanswered = sender.transport.askKeys(n2, 'instance-n2', Uint8Array.of(1))
    expect(await sender.transport.askKeys(n2, 'instance-n2', Uint8Array.of(2))).toEqual(Uint8Array.of(7))
    sender.transport.close(() => {})
    expect(await unanswered).toBeNull()
  })

  const applied: PeerFrame['body'] = { kind: 'applied', index: logIndex(64), hashHigh: 1, hashLow: 2 }
  const build: PeerFrame['body'] = {
    kind: 'build',
    reply: true,
    machines: [],
    runtime: 'v20.0.0',
    holdfast: '0.1.0',
    development: false,
  }

  test('frames of newer kinds reach a peer that says that it takes them', async () => {
    const { receiver, sender } = await connectedPair()
    sender.transport.send(vote({ body: build }))
    sender.transport.send(vote({ body: applied }))
    await receiver.frames.until(2)
    expect(receiver.frames.items.map(({ body }) => body)).toEqual([build, applied])
  })

  test('a peer of a build that does not say which kinds it takes is sent none of the newer ones', async () => {
    const received = new Collector<PeerFrame>()
    const server = new Server()
    server.addService(peerServiceDefinition, {
      Stream: (call: ServerDuplexStream<Buffer, Buffer>) => {
        call.sendMetadata(new Metadata())
        call.on('data', (message: Buffer) => {
          for (const bytes of unwrapFrames(message) ?? []) {
            const frame = decodePeerFrame(bytes)
            if (frame.ok) received.push(frame.value)
          }
        })
      },
    })
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      )
    })
    cleanups.push(() => server.forceShutdown())
    const sender = transportOf(n1, new Map([[n2, `127.0.0.1:${port}`]]))
    await sender.notes.until(1)
    for (const body of [build, applied]) sender.transport.send(vote({ body }))
    sender.transport.send(vote())
    await received.until(1)
    expect(received.items).toEqual([vote()])
  })

  test('a process that says several things per turn of its loop does not fall behind: they travel together', async () => {
    const { receiver, sender } = await connectedPair()
    const turns = 100
    for (let turn = 0; turn < turns; turn += 1) {
      for (let number = 1; number <= 4; number += 1) sender.transport.send(vote({}, turn * 4 + number))
      await new Promise(setImmediate)
    }
    // At one message per turn, what is left would take a hundred turns and more.
    let late = 0
    for (; receiver.frames.items.length < turns * 4; late += 1) await new Promise(setImmediate)
    expect(late).toBeLessThan(turns / 4)
    expect(receiver.frames.items.map((frame) => (frame.body.kind === 'raft' ? frame.body.message.term : 0))).toEqual(
      Array.from({ length: turns * 4 }, (_unused, index) => index + 1),
    )
  })

  test.each([
    ['another cluster', { clusterId: 'c2' }, 'WRONG_CLUSTER'],
    ['another group', { group: groupId(9) }, 'WRONG_GROUP'],
    ['another node', { recipient: n2, sender: n2 }, 'WRONG_RECIPIENT'],
    ['another data directory', { recipientInstance: 'replaced' }, 'WRONG_INSTANCE'],
  ])(
    'a frame for %s never reaches the listener and ends the stream with its reason',
    async (_name, overrides, code) => {
      const { receiver, sender } = await connectedPair()
      sender.transport.send(vote(overrides))
      await receiver.notes.until(1)
      await sender.notes.until(2)
      expect(receiver.notes.items).toEqual([code])
      expect(sender.notes.items.slice(0, 2)).toEqual(['connected', 'refused'])
      expect(receiver.frames.items).toEqual([])
      expect(sender.unreachable.items).toEqual([])
    },
  )

  test('a peer that is gone is reported, and a peer that comes back at its address is found', async () => {
    const { receiver, sender, port, server } = await connectedPair()
    server.forceShutdown()
    await sender.unreachable.until(2)
    expect(sender.unreachable.items.slice(0, 2)).toEqual([n2, n2])
    expect(sender.transport.connected(n2)).toBe(false)
    await serve(receiver.transport, port)
    while (!sender.transport.connected(n2)) await sender.notes.until(sender.notes.items.length + 1)
    sender.transport.send(vote())
    await receiver.frames.until(1)
  })

  test('an address that a frame names is dialled once the driver has judged the frame, not before', async () => {
    const dialled = new Collector<string>()
    const dial: DialPeer = (address, { onEnd }) => {
      dialled.push(address)
      setImmediate(() => onEnd('other', 'nobody answers'))
      return { write: () => undefined, close: () => undefined }
    }
    const { receiver, sender } = await connectedPair({}, transportOf(n2, new Map([[n1, 'a:1']]), { dial }))
    sender.transport.send(vote({ senderInstance: 'replaced', body: { kind: 'reachedAt', address: 'b:2' } }))
    await receiver.frames.until(1)
    await dialled.until(dialled.items.length + 2)
    expect(new Set(dialled.items)).toEqual(new Set(['a:1']))
    receiver.transport.hint(n1, 'b:2')
    await dialled.until(dialled.items.length + 3)
    expect(new Set(dialled.items)).toEqual(new Set(['a:1', 'b:2']))
  })

  test('a listener that accepts TCP and stays silent is given up and tried again, and is not called unreachable', async () => {
    const sockets = new Collector<Socket>()
    const silent: NetServer = createServer((socket) => {
      socket.on('error', () => {}).resume()
      sockets.push(socket)
    })
    const port = await new Promise<number>((resolve) => {
      silent.listen(0, '127.0.0.1', () => {
        const address = silent.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
    cleanups.push(() => {
      for (const socket of sockets.items) socket.destroy()
      silent.close()
    })
    const sender = transportOf(n1, new Map([[n2, `127.0.0.1:${port}`]]), { electionTimeoutMs: 100 })
    await sockets.until(3)
    await sender.notes.until(2)
    expect(sender.notes.items.slice(0, 2)).toEqual(['timeout', 'timeout'])
    expect(sender.unreachable.items).toEqual([])
    // Whoever is given up is hung up on: nobody waits for what may never come.
    const [first, second] = sockets.items
    for (const socket of [first, second]) {
      if (socket?.closed === false) await new Promise((resolve) => socket.once('close', resolve))
    }
  })

  test('a node that is there only after its links are open is told of them: it has said nothing on them yet', async () => {
    const { port } = await serve(transportOf(n2, new Map()).transport)
    const opened = new Collector<string>()
    const transport = new GrpcPeerTransport({
      identity: { clusterId: 'c1', group: groupId(0), id: n1, instance: 'instance-n1' },
      peers: new Map([[n2, `127.0.0.1:${port}`]]),
      clock: realClock,
      random: new Random(1),
      note: ({ event }) => opened.push(event),
    })
    cleanups.push(() => transport.close(() => {}))
    await opened.until(1)
    const connected = new Collector<string>()
    transport.listen({
      onFrame: () => {},
      onPull: () => {},
      onConnected: (peer) => connected.push(peer),
      onUnreachable: () => {},
    })
    // The driver is made in the same turn, of the transport: it is not there yet.
    expect(connected.items).toEqual([])
    await connected.until(1)
    expect(connected.items).toEqual([n2])
  })

  test('a peer that starts and dials this node is dialled at once, however long ago it was found gone', async () => {
    const gone = await serve(transportOf(n2, new Map()).transport)
    gone.server.forceShutdown()
    // The shortest wait behind a refused dial is half an hour.
    const waiting = transportOf(n1, new Map([[n2, `127.0.0.1:${gone.port}`]]), { electionTimeoutMs: 8 * 3_600_000 })
    await waiting.notes.until(1)
    expect(waiting.notes.items).toEqual(['gone'])
    const { port } = await serve(waiting.transport)
    const started = transportOf(n2, new Map([[n1, `127.0.0.1:${port}`]]))
    await serve(started.transport, gone.port)
    await started.notes.until(1)
    started.transport.send(vote({ sender: n2, recipient: n1, senderInstance: 'instance-n2' }))
    await waiting.notes.until(2)
    expect(waiting.notes.items).toEqual(['gone', 'connected'])
  })

  test('without a connection frames are dropped and nothing is queued', () => {
    const sender = transportOf(n1, new Map([[n2, '127.0.0.1:1']]))
    sender.transport.send(vote())
    expect(sender.transport.queuedBytes(n2)).toBe(0)
  })
})
