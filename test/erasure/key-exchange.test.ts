import { expect, test } from 'vitest'
import type { NodeId } from '../../src/base/brand.ts'
import type { KeyExchange } from '../../src/erasure/key-exchange.ts'
import { KeyFiles } from '../../src/erasure/key-files.ts'
import { decodeRequest, encodeMessage, KEYS_PER_MESSAGE } from '../../src/erasure/key-messages.ts'
import { KeyPages } from '../../src/erasure/key-pages.ts'
import { KeyPeers } from '../../src/erasure/key-peers.ts'
import type { SubjectKey } from '../../src/erasure/key-record.ts'
import { SubjectKeys } from '../../src/erasure/subject-keys.ts'
import { sealValue } from '../../src/erasure/aead.ts'
import type { RaftNode, ReadSink } from '../../src/node/api.ts'
import { MemoryDisk } from '../../src/storage/disk/memory-disk.ts'
import { FakeClock } from '../transport/fake-clock.ts'

/** Ids are drawn: spread over all first bytes, and never the same for two numbers below 65,536. */
function keyOf(number: number): SubjectKey {
  const keyId = new Uint8Array(8)
  new DataView(keyId.buffer).setUint32(0, Math.imul(number, 0x9e3779b1))
  return { subject: new Uint8Array(32).fill(number % 251), keyId, key: new Uint8Array(32).fill(1) }
}

const digest = (number: number): string => Buffer.alloc(32, number).toString('hex')

interface Member {
  readonly files: KeyFiles
  readonly peers: KeyPeers
  readonly exchange: KeyExchange
  readonly keys: SubjectKeys
}

/** Nodes that ask one another in this process; `away` answer nothing, `forgotten` are digests, `asked` counts questions. */
async function group(...ids: readonly string[]) {
  const clock = new FakeClock()
  const [away, forgotten, asked] = [new Set<string>(), new Set<string>(), { all: 0 }]
  const instances = new Map(ids.map((id) => [id, `disk of ${id}`]))
  const list = () => ({ members: ids.map((id) => ({ id, role: 'voter', instance: instances.get(id) })), joint: false })
  const members = new Map<string, Member>()
  const started = async (id: string): Promise<Member> => {
    const files = await KeyFiles.open({ disk: new MemoryDisk(), directory: 'group-0' })
    const node = {
      id,
      leader: 'a',
      membership: { list },
      machine: { forgotten: (name: string) => (forgotten.has(name) ? 1 : null) },
      read: (sink: ReadSink) => sink.ready(),
    } as unknown as RaftNode
    const peers = new KeyPeers(node, async (to, _instance, bytes) => {
      if (decodeRequest(bytes)?.kind === 'all') asked.all += 1
      const from = { sender: id as NodeId, senderInstance: instances.get(id) ?? '' }
      return away.has(to) || away.has(id) ? null : ((await members.get(to)?.exchange.answer(from, bytes)) ?? null)
    })
    const onFault = (): void => undefined
    const keys = new SubjectKeys({ node, files, peers, clock, onFault })
    const member = { files, peers, exchange: keys.exchange, keys }
    members.set(id, member)
    return member
  }
  for (const id of ids) await started(id)
  const at = (id: string): Member => {
    const found = members.get(id)
    if (found === undefined) throw new Error(`${id} is no member`)
    return found
  }
  return { at, away, forgotten, asked, instances, started, clock }
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

test('a leader takes keys over too, from every voter that it reaches, more of them than a message has', async () => {
  const { at, away } = await group('a', 'b', 'c')
  await at('b').files.add(Array.from({ length: 2 * KEYS_PER_MESSAGE + 5 }, (_, number) => keyOf(number)))
  await at('c').files.add([keyOf(5000)])
  away.add('c')
  await at('a').exchange.compare()
  expect([at('a').files.sum, at('a').files.size]).toEqual([at('b').files.sum, 2 * KEYS_PER_MESSAGE + 5])
  away.clear()
  await at('a').exchange.compare()
  expect(at('a').files.find(keyOf(5000).keyId)).not.toBeNull()
})

test('a member with nothing new is asked less and less often, until keys or its disk change', async () => {
  const { at, asked, clock, instances } = await group('a', 'b')
  await at('a').files.add([keyOf(1), keyOf(2)])
  await at('b').files.add([keyOf(1)])
  const rounds = async (count: number): Promise<number> => {
    asked.all = 0
    for (let round = 0; round < count; round += 1) {
      await at('a').exchange.compare()
      clock.advance(5_000)
    }
    return asked.all
  }
  expect(await rounds(31)).toBe(5)
  await at('a').files.add([keyOf(3)])
  expect(await rounds(1)).toBe(1)
  instances.set('b', 'another disk')
  expect(await rounds(1)).toBe(1)
  await at('b').files.add([keyOf(2), keyOf(3)])
  clock.advance(160_000)
  // Equal ones are asked each time: it is one small question.
  expect(await rounds(10)).toBe(10)
})

test('pages are in order, have each key once, and one turn of the loop does not see all of them', async () => {
  const clock = new FakeClock()
  const files = await KeyFiles.open({ disk: new MemoryDisk(), directory: 'group-0' })
  const keys = Array.from({ length: 9000 }, (_, number) => keyOf(number))
  await files.add(keys)
  const pages = new KeyPages(files, clock)
  const first = pages.after(new Uint8Array(0))
  const second = pages.after(new Uint8Array(0))
  for (let turn = 0; turn < 2; turn += 1) {
    expect(clock.pending).toBe(1)
    clock.advance(0)
    await settle()
  }
  expect([clock.pending, await second]).toEqual([0, await first])
  const found: string[] = []
  for (let page = await first; ; page = await pages.after(page.keys.at(-1)?.keyId ?? new Uint8Array(0))) {
    expect(page.keys.length).toBeLessThanOrEqual(KEYS_PER_MESSAGE)
    found.push(...page.keys.map(({ keyId }) => Buffer.from(keyId).toString('hex')))
    if (!page.more) break
  }
  expect(found).toEqual(keys.map(({ keyId }) => Buffer.from(keyId).toString('hex')).sort())
})

test('a key is lost only when every other voter has none', async () => {
  const { at, away } = await group('a', 'b', 'c')
  away.add('c')
  expect(await at('a').exchange.want(keyOf(1).keyId)).toBe('unknown')
  away.clear()
  expect(await at('a').exchange.want(keyOf(1).keyId)).toBe('lost')
  await at('c').files.add([keyOf(1)])
  expect(await at('a').exchange.want(keyOf(1).keyId)).toBe('found')
})

test('and for 30 s, or until the members change: then it is asked for again', async () => {
  for (const change of ['time', 'members'] as const) {
    const { at, clock, instances } = await group('a', 'b', 'c')
    const { keys } = at('a')
    const sealed = sealValue('+254700000001', keyOf(1))
    const opened = async (): Promise<unknown> => {
      keys.open(sealed)
      await settle()
      return keys.open(sealed)
    }
    await opened()
    expect(await opened()).toEqual({ $forgotten: true })
    await at('b').files.add([keyOf(1)])
    clock.advance(29_000)
    expect(await opened()).toEqual({ $forgotten: true })
    if (change === 'time') clock.advance(1_000)
    else instances.set('c', 'another disk')
    expect([change, await opened()]).toEqual([change, '+254700000001'])
    await keys.close()
  }
})

test('a replaced disk holds no key until it has said so', async () => {
  const { at, instances, started, away } = await group('a', 'b', 'c')
  const { exchange, files, peers } = at('a')
  await files.add([keyOf(1)])
  away.add('c')
  await exchange.offer(keyOf(1))
  expect([peers.isSafe(keyOf(1).keyId), peers.knownToHold('b' as NodeId, keyOf(1).keyId)]).toEqual([true, true])
  instances.set('b', 'another disk')
  const b = await started('b')
  expect([peers.isSafe(keyOf(1).keyId), peers.knownToHold('b' as NodeId, keyOf(1).keyId)]).toEqual([false, false])
  await exchange.offer(keyOf(1))
  expect([peers.isSafe(keyOf(1).keyId), b.files.size]).toEqual([true, 1])
})

test('a snapshot that brings forgotten subjects destroys also a key that is being stored as it comes', async () => {
  const { at, forgotten } = await group('a', 'b')
  const { files, keys } = at('a')
  const storing = files.add([keyOf(7), keyOf(8)])
  forgotten.add(digest(7))
  keys.noted({ kind: 'resumed' } as Parameters<SubjectKeys['noted']>[0])
  await storing
  // What was begun is done by then.
  await keys.close()
  await settle()
  expect(files.subjects()).toEqual([digest(8)])
})

test('an index that is none is no request', () => {
  const subject = new Uint8Array(32)
  for (const index of [-1, 1.5]) expect(decodeRequest(encodeMessage({ kind: 'destroyed', subject, index }))).toBeNull()
  expect(decodeRequest(encodeMessage({ kind: 'destroyed', subject, index: 0 }))).not.toBeNull()
})
