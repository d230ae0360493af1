import { describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS } from '../../../src/codec/entry/default-limits.ts'
import { WAIT_LIMITS } from '../../../src/session/tables/wait-rows.ts'
import { operatorNode } from '../sessions/operator-node.ts'

const { holdfast, node, session } = operatorNode()

/** As operators see them: those of waits behind the others. */
const INITIAL = { ...DEFAULT_LIMITS, ...WAIT_LIMITS }

const shown = async () => JSON.parse((await holdfast('limits', 'show', '--json')).out)

describe('limits', () => {
  test('are shown beside those of a new cluster, changed by one entry, and in force at once', async () => {
    expect(await shown()).toMatchObject({
      index: 0,
      limits: INITIAL,
      initial: INITIAL,
      by: { node: 'n1' },
    })
    const set = await holdfast('limits', 'set', 'sessionsMax=2', 'mailboxMax=9', '--expect-index', '0')
    const { index } = await shown()
    expect(set).toMatchObject({ code: 0, out: `sessionsMax=2 mailboxMax=9 from entry ${index} on\n` })
    expect(await shown()).toMatchObject({ limits: { ...INITIAL, sessionsMax: 2, mailboxMax: 9 } })
    const { out, err } = await holdfast('limits', 'show')
    expect(out).toMatch(/^limit +value +of a new cluster\nwindowRequests +1024 +1024\n/)
    expect(out).toMatch(/\nsessionsMax +2 +1000000\n/)
    expect(err).toContain(`They were changed by entry ${index}.`)
    await session('user:one')
    await session('user:two')
    await expect(session('user:three', { connectDeadlineMs: 300 })).rejects.toMatchObject({ code: 'TOO_MANY_SESSIONS' })
    const again = await holdfast('limits', 'set', 'sessionsMax=5', '--json')
    expect(JSON.parse(again.out)).toEqual({ index: expect.any(Number), changes: { sessionsMax: 5 } })
    await session('user:three')
  })

  test('of waits are changed like the others, one by one, and stay so when others are', async () => {
    const set = await holdfast('limits', 'set', 'signalsPerKeyMax=3')
    expect(set).toMatchObject({ code: 0, out: expect.stringMatching(/^signalsPerKeyMax=3 from entry \d+ on\n$/) })
    await holdfast('limits', 'set', 'mailboxMax=10')
    const { limits } = await shown()
    expect(limits).toMatchObject({ ...WAIT_LIMITS, signalsPerKeyMax: 3, mailboxMax: 10 })
    expect((await holdfast('limits', 'show')).out).toMatch(/\nsignalsPerKeyMax +3 +1000\n/)
    expect(await holdfast('limits', 'set', 'waitersPerKeyMax=0')).toMatchObject({
      code: 4,
      err: expect.stringContaining('waitersPerKeyMax cannot be used'),
    })
  })

  test('a change that is refused ends with 4, says why, and appends nothing', async () => {
    const before = await shown()
    expect(await holdfast('limits', 'set', 'sessionsMax=6', '--expect-index', '0')).toMatchObject({
      code: 4,
      err: expect.stringContaining('(LIMITS_CHANGED)'),
    })
    expect(await holdfast('limits', 'set', 'tombstoneMs=5')).toMatchObject({
      code: 4,
      err: expect.stringContaining('tombstoneMs must be at least 300000'),
    })
    expect((await shown()).index).toBe(before.index)
    expect(node().status().halted).toBeNull()
  })

  test('words that are no change end with 2', async () => {
    for (const words of [['sessionsMax'], ['sessionsMax=-1'], ['sessionsMax=1', 'sessionsMax=2'], ['=1']])
      expect(await holdfast('limits', 'set', ...words)).toMatchObject({ code: 2, out: '' })
  })
})
