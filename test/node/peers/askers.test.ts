import { expect, test } from 'vitest'
import { logIndex, nodeId, term } from '../../../src/base/brand.ts'
import { Askers } from '../../../src/node/peers/askers.ts'
import type { Message } from '../../../src/raft/types.ts'

const n1 = nodeId('n1')
const asks = (of: number): Message => ({
  kind: 'requestVote',
  term: term(of),
  lastLogIndex: logIndex(1),
  lastLogTerm: term(1),
  transfer: false,
})
const votes = (of: number, granted: boolean): Message => ({
  kind: 'requestVoteResponse',
  term: term(of),
  verdict: granted ? { granted } : { granted, reason: 'logBehind' },
})
const TIMEOUT_NOW: Message = { kind: 'timeoutNow', term: term(8) }

test('a vote goes to the disk that asked for it, not to another one of that id', () => {
  const askers = new Askers()
  expect(askers.hear(n1, 'old', asks(7))).toBe(true)
  expect(askers.hear(n1, 'new', asks(7))).toBe(false)
  expect(askers.instanceFor(n1, votes(7, true))).toBe('old')
  expect(askers.hear(n1, 'new', asks(8))).toBe(true)
  expect(askers.instanceFor(n1, votes(7, true))).toBeNull()
  expect(askers.instanceFor(n1, votes(8, true))).toBe('new')
  // A refusal in a later term tells that there is one.
  expect(askers.instanceFor(n1, votes(9, false))).toBe('new')
})

test('an answer goes to the disk that asked last, and what was never asked has none', () => {
  const askers = new Askers()
  const answer: Message = { kind: 'preVoteResponse', term: term(1), requestTerm: term(2), verdict: { granted: true } }
  expect(askers.instanceFor(n1, answer)).toBeNull()
  askers.hear(n1, 'old', TIMEOUT_NOW)
  askers.hear(n1, 'new', TIMEOUT_NOW)
  askers.hear(n1, 'other', answer)
  expect(askers.instanceFor(n1, answer)).toBe('new')
})

test('no more than 64 nodes are remembered, the newest', () => {
  const askers = new Askers()
  for (let each = 0; each < 70; each += 1) {
    askers.hear(nodeId(`n${each}`), 'x', TIMEOUT_NOW)
    askers.hearAddress(nodeId(`n${each}`), { instance: 'x', address: `h:${each}` })
  }
  expect([5, 6].map((each) => askers.instanceOf(nodeId(`n${each}`)))).toEqual([null, 'x'])
  expect([5, 6].map((each) => askers.addressOf(nodeId(`n${each}`), 'x'))).toEqual([null, 'h:6'])
  expect(askers.addressOf(nodeId('n6'), 'y')).toBeNull()
})
