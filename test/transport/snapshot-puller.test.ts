import { createServer } from 'node:net'
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import { groupId, logIndex, nodeId } from '../../src/base/brand.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { packRows } from '../../src/codec/rows/packed-rows.ts'
import type { SnapshotMeta } from '../../src/node/ports/snapshot-store.ts'
import type { SnapshotAnswer, SnapshotRequest } from '../../src/node/ports/snapshot-transfer.ts'
import type { PeerRefusal } from '../../src/transport/envelope.ts'
import { peerServiceDefinition } from '../../src/transport/peer-service.ts'
import { decodeSnapshotAnswer, encodeSnapshotAnswer } from '../../src/transport/snapshot-frame.ts'
import { acceptPull, SnapshotPuller } from '../../src/transport/snapshot-puller.ts'
import { FakeClock, realClock } from './fake-clock.ts'
import { META as SNAPSHOT } from './snapshot-meta.ts'

const cleanups: (() => void)[] = []

afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

const PAYLOAD = encodePayload('Configuration', {
  clusterId: 'c1',
  incarnation: 1,
  voters: [{ id: nodeId('n1'), address: 'n1:1', instanceId: 'i1' }],
  learners: [],
  outgoing: [],
  promoting: [],
  removed: [],
})

const META: SnapshotMeta = { ...SNAPSHOT, configurationPayload: Buffer.from(PAYLOAD).toString('base64') }

const request = (after: string | null, overrides: Partial<SnapshotRequest> = {}): SnapshotRequest => ({
  clusterId: 'c1',
  group: groupId(0),
  sender: nodeId('n2'),
  recipient: nodeId('n1'),
  senderInstance: 'i2',
  recipientInstance: 'i1',
  index: logIndex(0),
  after,
  ...overrides,
})

/** A member with the rows of these keys, one to a part, behind a real server. */
async function member(keys: readonly string[]) {
  const refusals: PeerRefusal[] = []
  const server = new Server()
  const answerOf = ({ after }: SnapshotRequest): SnapshotAnswer => {
    const key = keys.find((each) => after === null || each > after) ?? null
    const bytes =
      key === null ? new Uint8Array(0) : packRows([{ key, value: new Uint8Array(100_000).fill(key.length) }])
    return { meta: META, total: keys.length, after, part: { lastKey: key, rows: key === null ? 0 : 1, bytes } }
  }
  server.addService(peerServiceDefinition, {
    Stream: (call: ServerDuplexStream<Buffer, Buffer>) => call.end(),
    Pull: (call: ServerDuplexStream<Buffer, Buffer>) =>
      acceptPull(
        call,
        { clusterId: 'c1', group: 0, id: 'n1', instance: 'i1' },
        { onPull: (asked, answer) => answer(answerOf(asked)), onRefused: (refusal) => refusals.push(refusal) },
      ),
  })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  cleanups.push(() => server.forceShutdown())
  return { address: `127.0.0.1:${port}`, refusals }
}

function pullerOf(clock = realClock): SnapshotPuller {
  const puller = new SnapshotPuller(clock)
  cleanups.push(() => puller.close())
  return puller
}

const pulled = (puller: SnapshotPuller, address: string, asked: SnapshotRequest): Promise<SnapshotAnswer | null> =>
  new Promise((resolve) => puller.pull(address, asked, resolve))

test('a snapshot comes part by part over one stream, each as it was packed', async () => {
  const { address } = await member(['a', 'bb', 'ccc'])
  const puller = pullerOf()
  const found: (string | null)[] = []
  for (let after: string | null = null; ; ) {
    const answer = await pulled(puller, address, request(after))
    expect(answer?.meta).toEqual(META)
    expect(answer?.after).toBe(after)
    found.push(answer?.part.lastKey ?? null)
    if (answer === null || answer.part.lastKey === null) break
    expect(answer.part.bytes.at(-1)).toBe(answer.part.lastKey.length)
    after = answer.part.lastKey
  }
  expect(found).toEqual(['a', 'bb', 'ccc', null])
})

test('a request to another disk is refused, said at the member, and answered by nothing', async () => {
  const { address, refusals } = await member(['a'])
  const answer = await pulled(pullerOf(), address, request(null, { recipientInstance: 'another' }))
  expect([answer, refusals.map(({ code }) => code)]).toEqual([null, ['WRONG_INSTANCE']])
})

test('where nobody listens there is no answer', async () => {
  const server = createServer()
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  )
  await new Promise((resolve) => server.close(resolve))
  expect(await pulled(pullerOf(), `127.0.0.1:${port}`, request(null))).toBeNull()
})

test('a member that takes requests and is silent is dialled anew, however often it is asked', async () => {
  let dialled = 0
  let heard: () => void = () => undefined
  const silent = createServer((socket) => {
    dialled += 1
    socket.on('error', () => undefined)
    cleanups.push(() => socket.destroy())
    heard()
  })
  const port = await new Promise<number>((resolve) =>
    silent.listen(0, '127.0.0.1', () => resolve((silent.address() as { port: number }).port)),
  )
  cleanups.push(() => silent.close())
  const clock = new FakeClock()
  const puller = pullerOf(clock)
  const again = (): Promise<void> => new Promise((resolve) => (heard = resolve))
  const first = again()
  puller.pull(`127.0.0.1:${port}`, request(null), () => undefined)
  await first
  const second = again()
  // Asked again every second and a bit, as a follower does.
  for (let asked = 0; asked < 30; asked += 1) {
    clock.advance(1_200)
    puller.pull(`127.0.0.1:${port}`, request(null), () => undefined)
  }
  await second
  expect(dialled).toBe(2)
})

test('an answer whose words about the snapshot do not fit is refused, whatever its checksum', () => {
  const answer = (meta: unknown): SnapshotAnswer => ({
    meta: meta as SnapshotMeta,
    total: 0,
    after: null,
    part: { lastKey: null, rows: 0, bytes: new Uint8Array(0) },
  })
  expect(decodeSnapshotAnswer(encodeSnapshotAnswer(answer(META)))).toMatchObject({ ok: true })
  const unfit: readonly unknown[] = [
    null,
    [],
    {},
    { ...META, lastIncludedIndex: '900' },
    { ...META, configuration: null },
    { ...META, configurationPayload: 'AAAA' },
    { ...META, stateHash: 'none' },
  ]
  for (const meta of unfit) {
    const decoded = decodeSnapshotAnswer(encodeSnapshotAnswer(answer(meta)))
    expect(decoded, JSON.stringify(meta)).toMatchObject({ ok: false, error: { code: 'MALFORMED_FRAME' } })
  }
})
