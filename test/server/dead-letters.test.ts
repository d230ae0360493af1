import { expect, test } from 'vitest'
import { encodeClientRequest } from '../../src/codec/entry/client-request.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { encodeValue } from '../../src/codec/value/encode.ts'
import { requestHash } from '../../src/codec/value/running-hash.ts'
import { fetchDeadLetters, moveDeadLetters } from '../../src/client/operator/dead-letters.ts'
import { evictSession, fetchSession } from '../../src/client/operator/sessions.ts'
import type { FakeNode } from '../gateway/fake-node.ts'
import { appliesAtOnce, operator } from './operator.ts'

/** Opens a session, of which `count` server requests die at once. */
function buried(node: FakeNode, count: number, name = 'a'): string {
  node.append(
    'OpenSession',
    encodePayload('OpenSession', {
      secretHash: new Uint8Array(32).fill(name.charCodeAt(0)),
      principal: `user:${name}`,
      roles: [],
      capabilities: {},
      name,
      timeoutMs: 3_600_000,
      validUntil: node.now + 60_000,
      ordered: false,
    }),
  )
  node.run()
  const session = { group: 0, incarnation: 1, index: node.machine.appliedIndex }
  const input = encodeValue(count)
  const { high: hashHigh, low: hashLow } = requestHash('t', 'emit', input)
  const ids = { epoch: 0, requestId: 1, lowestPendingRequestId: 1, ackServerRequests: 0 }
  const command = { version: 1, machine: 't', command: 'emit', input }
  node.append('ClientRequest', encodeClientRequest({ ...session, ...ids, hashHigh, hashLow, ...command }))
  node.run()
  for (let letter = 0; letter < count; letter += 1) {
    node.now += 100_000
    node.append('RetryServerRequests', encodePayload('RetryServerRequests', { sessions: [session] }))
    node.run()
  }
  return `0/1/${session.index}`
}

async function operated() {
  const { node, address } = await operator({ attemptsMax: 1 })
  appliesAtOnce(node)
  return { node, endpoints: [address] }
}

test('dead letters are told a page at a time, of all sessions or of one, and what they carry if it is asked for', async () => {
  const { node, endpoints } = await operated()
  const [a, b] = [buried(node, 2, 'a'), buried(node, 1, 'b')]
  const { letters, more } = await fetchDeadLetters(endpoints, { limit: 10 })
  expect([letters.map(({ letter, session }) => [letter, session]), more]).toEqual([
    [
      [1, a],
      [2, a],
      [3, b],
    ],
    false,
  ])
  expect(letters[0]).toMatchObject({
    alive: true,
    principal: 'user:a',
    clientName: 'a',
    request: { id: 1, type: 'note' },
  })
  expect(letters[0]?.request.payload).toBeUndefined()
  expect(await fetchDeadLetters(endpoints, { limit: 1 })).toMatchObject({ letters: [{ letter: 1 }], more: true })
  const ofOne = await fetchDeadLetters(endpoints, { limit: 10, session: b, payloads: true })
  expect(ofOne.letters).toMatchObject([{ letter: 3, request: { payload: { count: 0 } } }])
  await expect(fetchDeadLetters(endpoints, { limit: 1, session: 'b' })).rejects.toMatchObject({ code: 'INVALID' })
})

test('each is moved once, and one that cannot be does not keep the others', async () => {
  const { node, endpoints } = await operated()
  const [, b] = [buried(node, 2, 'a'), buried(node, 1, 'b')]
  await evictSession(endpoints, { id: b, note: '' })
  expect(await moveDeadLetters(endpoints, { move: 'redrive', letters: [1, 3, 9] })).toEqual([
    { letter: 1, outcome: 'redriven' },
    { letter: 3, outcome: 'sessionEnded' },
    { letter: 9, outcome: 'unknown' },
  ])
  expect(await moveDeadLetters(endpoints, { move: 'redrive', letters: [1] })).toMatchObject([
    { outcome: 'wasRedriven' },
  ])
  const left = (await fetchDeadLetters(endpoints, { limit: 10 })).letters
  expect(left.map(({ letter, alive }) => [letter, alive])).toEqual([
    [2, true],
    [3, false],
  ])
  expect(await moveDeadLetters(endpoints, { move: 'discard', letters: [2, 3] })).toMatchObject([
    { outcome: 'discarded' },
    { outcome: 'discarded' },
  ])
  expect(node.machine.deadLetters(0, 9)).toEqual([])
})

test('more than one entry may name are moved by several, in their order', async () => {
  const { node, endpoints } = await operated()
  const letters = Array.from({ length: 1500 }, (_, at) => 1500 - at)
  const moved = await moveDeadLetters(endpoints, { move: 'discard', letters })
  expect(moved.map(({ letter }) => letter)).toEqual(letters)
  expect(node.submitted).toEqual(['MoveDeadLetters', 'MoveDeadLetters'])
  await expect(moveDeadLetters(endpoints, { move: 'discard', letters: [0] })).rejects.toMatchObject({ code: 'INVALID' })
})

test('a session that is ended twice says so, and how it ended', async () => {
  const { node, endpoints } = await operated()
  const id = buried(node, 1)
  expect(await evictSession(endpoints, { id, note: 'stolen' })).toMatchObject({ now: true, ended: 'expired' })
  const endedMs = node.now
  node.now += 1000
  expect(await evictSession(endpoints, { id, note: 'x' })).toMatchObject({ now: false, ended: 'expired', endedMs })
  expect(await fetchSession(endpoints, { id, payloads: false })).toMatchObject({ evicted: true, note: 'stolen' })
  await expect(evictSession(endpoints, { id: '0/1/999', note: '' })).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' })
  await expect(evictSession(endpoints, { id, note: 'x'.repeat(257) })).rejects.toMatchObject({
    code: 'INVALID',
    details: { field: 'note' },
  })
})
