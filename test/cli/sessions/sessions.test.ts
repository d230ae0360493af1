import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { ClientSession } from '../../../src/client/index.ts'
import { counter, payments } from '../../../src/machines/index.ts'
import { operatorNode } from './operator-node.ts'

const { session, holdfast, node } = operatorNode([counter, payments])
let ada: ClientSession
let bob: ClientSession

beforeAll(async () => {
  ada = await session('user:ada', { name: 'till 1', roles: ['shop'], capabilities: { screen: 'small' }, ordered: true })
  bob = await session('user:bob')
  await ada.execute('counter', 'increment', { name: 'visits', by: 2 })
  await ada.execute('counter', 'increment', { name: 'visits', by: 5000 })
})

const json = async (...words: string[]) => JSON.parse((await holdfast(...words, '--json')).out)

describe('session list', () => {
  test('says who is there as table, json and jsonl, and no secret', async () => {
    const { sessions } = await json('session', 'list')
    expect(sessions).toMatchObject([
      {
        id: ada.id,
        state: 'attached',
        clientName: 'till 1',
        principal: 'user:ada',
        roles: ['shop'],
        capabilities: { screen: 'small' },
        lastRequestId: 2,
        waiting: 1,
      },
      { id: bob.id, principal: 'user:bob', lastRequestId: 0, waiting: 0 },
    ])
    for (const { expiresInMs, timeoutMs } of sessions) expect(expiresInMs > 0 && expiresInMs <= timeoutMs).toBe(true)
    const { out } = await holdfast('session', 'list', '-o', 'jsonl')
    const known = ({ id, principal, lastRequestId }: never) => ({ id, principal, lastRequestId })
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(known as never)).toEqual(sessions.map(known as never))
    const table = (await holdfast('session', 'list')).out
    expect(table).toMatch(new RegExp(`^session .*\\n${ada.id} +attached +till 1 +user:ada +shop +\\d+ +\\d+s +2 +1\\n`))
    expect(out + table).not.toMatch(/secret|nonce/)
  })

  test('stops at its limit and says that there are more; a machine leaves those for which nothing of it waits', async () => {
    const { out, err } = await holdfast('session', 'list', '--limit', '1', '-o', 'jsonl')
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual([ada.id])
    expect(err).toContain('There may be more than these 1')
    expect((await json('session', 'list', '--machine', 'counter')).sessions).toMatchObject([{ id: ada.id }])
    expect((await json('session', 'list', '--machine', 'payments')).sessions).toEqual([])
  })
})

describe('session show', () => {
  test('says all of one session, and what requests carry only when it is asked for', async () => {
    const shown = await json('session', 'show', ada.id)
    expect(shown).toMatchObject({
      id: ada.id,
      state: 'attached',
      ordered: true,
      cachedResponses: expect.any(Number),
      lastServerRequestId: 1,
      acknowledged: 0,
      leasedTasks: 0,
      by: { node: 'n1' },
      waiting: [{ id: 1, type: 'counter.changed', attempt: 1 }],
    })
    expect(shown.waiting[0]).not.toHaveProperty('payload')
    expect((await json('session', 'show', ada.id, '--payloads')).waiting[0].payload).toEqual({
      name: 'visits',
      value: 2,
    })
    const { out } = await holdfast('session', 'show', ada.id)
    expect(out).toContain('commands         ordered, last 2')
    expect(out).toMatch(/\n1 +counter\.changed +\d+ /)
    expect(out).not.toContain('"visits"')
  })

  test('says how a session ended; an id that was never given ends with 1 and its code', async () => {
    const gone = await session('user:gone')
    await gone.close()
    expect((await holdfast('session', 'show', gone.id)).out).toMatch(/ has ended: it was closed at 20\d\d-/)
    expect(await json('session', 'show', gone.id)).toMatchObject({ id: gone.id, state: 'closed' })
    for (const verb of ['show', 'history']) {
      expect(await holdfast('session', verb, '0/1/99999')).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringContaining('(SESSION_UNKNOWN)'),
      })
      expect(await holdfast('session', verb, 'ada')).toMatchObject({
        code: 1,
        err: expect.stringContaining('(INVALID)'),
      })
    }
    expect((await json('session', 'history', gone.id)).entries).toMatchObject([
      { kind: 'OpenSession' },
      { kind: 'AttachSession' },
      { kind: 'CloseSession' },
    ])
  })
})

describe('session history', () => {
  test('is what the log says of it: kinds, commands, numbers, outcomes; inputs only when they are asked for', async () => {
    const { entries } = await json('session', 'history', ada.id)
    const command = { kind: 'ClientRequest', machine: 'counter', command: 'increment' }
    expect(entries.filter(({ kind }: { kind: string }) => kind !== 'KeepAlive')).toMatchObject([
      { kind: 'OpenSession', index: Number(ada.id.split('/')[2]), term: 1 },
      { kind: 'AttachSession' },
      // Its response was let go with the second command.
      { ...command, requestId: 1, outcome: null },
      { ...command, requestId: 2, outcome: 'rejected', code: 'TOO_BIG' },
    ])
    expect(JSON.stringify(entries)).not.toContain('visits')
    const { out } = await holdfast('session', 'history', ada.id, '--payloads')
    expect(out).toMatch(/counter\.increment +2 +rejected: TOO_BIG +\{"name":"visits","by":5000\}/)
  })

  test('goes on from an entry, and says that there is more', async () => {
    const { entries } = await json('session', 'history', ada.id)
    const second = await holdfast(
      'session',
      'history',
      ada.id,
      '--since',
      String(entries[1].index),
      '--limit',
      '1',
      '--json',
    )
    expect(JSON.parse(second.out).entries).toEqual([entries[1]])
    expect(second.err).toContain(`--since ${entries[1].index + 1}`)
  })

  test('looking changes nothing', async () => {
    const before = node().status()
    await holdfast('session', 'history', ada.id, '--payloads')
    await holdfast('session', 'show', ada.id, '--payloads')
    await holdfast('session', 'list')
    const { stateHash, appliedIndex } = node().status()
    if (appliedIndex === before.appliedIndex) expect(stateHash).toBe(before.stateHash)
  })
})

describe('session expire', () => {
  test('ends a session whose client lives, which is told, and says so again when it is repeated', async () => {
    const lost: string[] = []
    const eve = await session('user:eve', { onSessionLost: (reason: string) => lost.push(reason) })
    const waiting = eve.execute('counter', 'increment', { name: 'eves', by: 1 })
    expect((await waiting).kind).toBe('ok')
    expect(await holdfast('session', 'expire', eve.id, '--reason', 'stolen device')).toMatchObject({
      code: 0,
      out: `${eve.id} is expired\n`,
    })
    await vi.waitFor(() => expect(lost).toEqual(['SESSION_EXPIRED']))
    expect(await eve.execute('counter', 'increment', { name: 'eves', by: 1 })).toMatchObject({
      kind: 'notExecuted',
      code: 'SESSION_EXPIRED',
    })
    const again = await json('session', 'expire', eve.id)
    expect(again).toMatchObject({ id: eve.id, now: false, state: 'expired' })
    expect((await holdfast('session', 'show', eve.id)).out).toMatch(
      / has ended: it was expired by an operator at 20.* \(stolen device\)\n$/,
    )
    expect(await json('session', 'show', eve.id)).toMatchObject({ evicted: true, note: 'stolen device' })
    expect((await json('session', 'history', eve.id)).entries.at(-2)).toMatchObject({ kind: 'EvictSession' })
    expect(await holdfast('session', 'expire', '0/1/99999')).toMatchObject({
      code: 1,
      err: expect.stringContaining('(SESSION_UNKNOWN)'),
    })
  })
})
