import { describe, expect, test } from 'vitest'
import { logIndex, nodeId, term } from '../../../src/base/brand.ts'
import { appendEntries, configuration, follower, members, PRE_VOTE, records } from './follower.ts'

const [n1, n2, n3] = [nodeId('n1'), nodeId('n2'), nodeId('n3')]

describe('of a node that is no member', () => {
  const STRANGER = { sender: nodeId('n9'), senderInstance: 'any' }

  test('the clock is no part of the median', () => {
    const { node, send } = follower()
    send({ kind: 'raft', message: PRE_VOTE, records: new Uint8Array(0), wallMs: 5 }, STRANGER)
    expect(node.driver.logNow()).toBe(node.options.clock.wallMs())
  })

  test('an empty disk greets whoever dials it, be it started with others alone, and sixteen of them at most', () => {
    const { node, send } = follower()
    for (let caller = 10; caller < 30; caller += 1) {
      const envelope = { sender: nodeId(`n${caller}`), senderInstance: 'any', recipientInstance: '' }
      send({ kind: 'reachedAt', address: caller === 10 ? 'h:0' : `h:${caller}` }, envelope)
    }
    const from = node.network.sent.length
    node.options.clock.advance(100)
    const greeted = node.network.sent
      .slice(from)
      .flatMap(({ body, recipient }) => (body.kind === 'hello' ? [recipient] : []))
    const callers = [...new Set(greeted)].filter((id) => ![n1, n2, n3].includes(id))
    expect(callers).toEqual(Array.from({ length: 16 }, (_, at) => nodeId(`n${at + 11}`)))
    expect(node.network.hinted).toContainEqual([nodeId('n11'), 'h:11'])
  })

  test('an empty disk answers the leader that dials it, be it started with others alone, and gives it no vote', () => {
    const { node, send } = follower()
    const leader = { sender: nodeId('n4'), senderInstance: 'of-n4' }
    send({ kind: 'reachedAt', address: 'h:4' }, { ...leader, recipientInstance: '' })
    const beyond = appendEntries(records([{ kind: 'Noop', payload: new Uint8Array(0) }], 6), [[6, 6, 1]])
    if (beyond.kind !== 'raft' || beyond.message.kind !== 'appendEntries') throw new Error('no entries')
    send({ ...beyond, message: { ...beyond.message, prevLogIndex: logIndex(5), prevLogTerm: term(1) } }, leader)
    send({ kind: 'raft', message: PRE_VOTE, records: new Uint8Array(0), wallMs: 5 }, leader)
    node.options.clock.advance(10)
    const answers = node.network.sent.filter(({ recipient, body }) => recipient === 'n4' && body.kind === 'raft')
    expect(answers).toMatchObject([
      { recipientInstance: 'of-n4', body: { message: { kind: 'appendEntriesResponse' } } },
    ])
  })

  test('a learner is told what voters make of the log', () => {
    const { node, send } = follower()
    const payload = configuration({ voters: members.slice(0, 2), learners: members.slice(2) })
    const bytes = records([
      { kind: 'Configuration', payload },
      { kind: 'Noop', payload: new Uint8Array(0) },
    ])
    const body = appendEntries(bytes, [[1, 2, 1]])
    if (body.kind !== 'raft' || body.message.kind !== 'appendEntries') throw new Error('no entries')
    send({ ...body, message: { ...body.message, leaderCommit: logIndex(2) } })
    node.options.clock.advance(10)
    const from = node.network.sent.length
    node.driver.onConnected(n3)
    expect(node.network.sent.slice(from)).toMatchObject([
      { body: { kind: 'reachedAt' } },
      { body: { kind: 'build' } },
      { recipient: n3, body: { kind: 'applied', index: 2 } },
    ])
  })

  test('no greeting is remembered', () => {
    const { node, send } = follower()
    send({ kind: 'hello', hasConfiguration: false, reply: false }, STRANGER)
    const from = node.network.sent.length
    // Raft's answers go to whom a greeting told of.
    send({ kind: 'raft', message: PRE_VOTE, records: new Uint8Array(0), wallMs: 5 }, STRANGER)
    expect(node.network.sent.slice(from).filter(({ recipient }) => recipient === STRANGER.sender)).toEqual([])
  })
})
