import { describe, expect, test } from 'vitest'
import { changeLimits, fetchLimits } from '../../src/client/operator/limits.ts'
import { DEFAULT_LIMITS } from '../../src/codec/entry/default-limits.ts'
import { changedLimits } from '../../src/server/operator/limit-rules.ts'
import { WAIT_LIMITS } from '../../src/session/tables/wait-rows.ts'
import { appliesAtOnce, operator } from './operator.ts'

/** As operators see them: those of waits behind the others. */
const INITIAL = { ...DEFAULT_LIMITS, ...WAIT_LIMITS }

async function operated() {
  const { node, address } = await operator()
  appliesAtOnce(node)
  return { node, endpoints: [address] }
}

describe('limits over the operator service', () => {
  test('are told with the entry that changed them and what a new cluster has', async () => {
    const { endpoints } = await operated()
    const { index, limits, initial } = await fetchLimits(endpoints)
    expect([index, limits, initial]).toEqual([0, INITIAL, INITIAL])
  })

  test('a change is one entry of all limits, which the next answer names', async () => {
    const { node, endpoints } = await operated()
    const index = await changeLimits(endpoints, { changes: { sessionsMax: 7, mailboxMax: 9 }, basedOn: 0 })
    expect(node.submitted).toEqual(['Limits'])
    const now = await fetchLimits(endpoints)
    expect(now).toMatchObject({ index, limits: { ...INITIAL, sessionsMax: 7, mailboxMax: 9 } })
  })

  test('a change of limits that are not in force any more is refused, unless it was made already', async () => {
    const { node, endpoints } = await operated()
    const first = await changeLimits(endpoints, { changes: { sessionsMax: 7 }, basedOn: 0 })
    expect(await changeLimits(endpoints, { changes: { sessionsMax: 7 }, basedOn: 0 })).toBe(first)
    await expect(changeLimits(endpoints, { changes: { sessionsMax: 8 }, basedOn: 0 })).rejects.toMatchObject({
      code: 'LIMITS_CHANGED',
      details: { index: String(first) },
    })
    expect(node.submitted).toEqual(['Limits'])
  })

  test('of two that are under way at once one is refused where it is applied', async () => {
    const { node, address } = await operator()
    const asked = [7, 8].map((sessionsMax) =>
      changeLimits([address], { changes: { sessionsMax }, basedOn: 0 }).then(
        () => 'made',
        ({ code }) => code,
      ),
    )
    while (node.submitted.length < 2) await new Promise((resolve) => setImmediate(resolve))
    node.run()
    expect((await Promise.all(asked)).sort()).toEqual(['LIMITS_CHANGED', 'made'])
  })

  test('what is wrong is refused with its name, and nothing is appended', async () => {
    const { node, endpoints } = await operated()
    await expect(changeLimits(endpoints, { changes: { sessionMax: 7 }, basedOn: 0 })).rejects.toMatchObject({
      code: 'LIMIT_REFUSED',
      details: { name: 'sessionMax', problem: 'is unknown; did you mean sessionsMax?' },
    })
    expect(node.submitted).toEqual([])
  })

  test('a leader that lost its office with the entry under way is asked for no second change', async () => {
    const { node, address } = await operator()
    const submit = node.submit.bind(node)
    let lost = 0
    node.submit = (kind, payload, sink) => {
      if (lost > 0) return submit(kind, payload, sink)
      lost += 1
      // It is applied all the same, and the answer is that of the next leader.
      submit(kind, payload, null)
      node.run()
      sink?.lost()
    }
    const index = await changeLimits([address], { changes: { sessionsMax: 7 }, basedOn: 0 })
    expect([node.submitted, node.machine.limits.changedAt]).toEqual([['Limits'], index])
  })
})

describe('what limits must be', () => {
  test('an entry says nothing of waits until one of theirs is changed, and then says all four', () => {
    const one = changedLimits(DEFAULT_LIMITS, [{ name: 'mailboxMax', value: 9 }])
    expect(one).toEqual({ ok: true, limits: { ...DEFAULT_LIMITS, mailboxMax: 9 } })
    const ofWaits = changedLimits(DEFAULT_LIMITS, [{ name: 'signalsPerKeyMax', value: 3 }])
    const waits = { ...WAIT_LIMITS, signalsPerKeyMax: 3 }
    expect(ofWaits).toEqual({ ok: true, limits: { ...DEFAULT_LIMITS, waits } })
    const kept = changedLimits({ ...DEFAULT_LIMITS, waits }, [{ name: 'mailboxMax', value: 9 }])
    expect(kept).toEqual({ ok: true, limits: { ...DEFAULT_LIMITS, waits, mailboxMax: 9 } })
  })

  const refusal = (changes: object, present = DEFAULT_LIMITS): string => {
    const wanted = changedLimits(
      present,
      Object.entries(changes).map(([name, value]) => ({ name, value })),
    )
    return wanted.ok ? '' : `${wanted.problem.name} ${wanted.problem.problem}`
  }

  test.each([
    [{ sessionTimeoutMinMs: 999 }, 'sessionTimeoutMinMs must be at least 1000'],
    [{ sessionTimeoutMaxMs: 999 }, 'sessionTimeoutMinMs must not be above sessionTimeoutMaxMs, 999'],
    [{ ackTimeoutMs: 300_001 }, 'ackTimeoutMs must not be above ackTimeoutMaxMs, 300000'],
    [{ cachedBytesMax: 1_000_000 }, 'responseBytesMax must not be above cachedBytesMax, 1000000'],
    [{ commandBytesMax: 3_928_065 }, 'commandBytesMax must be at most 3928064'],
    [{ tombstoneMs: 299_999 }, 'tombstoneMs must be at least 300000'],
    [{ snapshotBytes: 1 }, 'snapshotBytes must be at least 1048576'],
  ])('%j: %s', (changes, problem) => {
    expect(refusal(changes)).toBe(problem)
  })

  test('one that needs another one may come with it', () => {
    expect(refusal({ ackTimeoutMs: 400_000, ackTimeoutMaxMs: 500_000 })).toBe('')
    expect(refusal({ ackTimeoutMaxMs: 500_000, ackTimeoutMs: 400_000 })).toBe('')
  })

  test('what a cluster was made with is let be', () => {
    const small = { ...DEFAULT_LIMITS, snapshotBytes: 500, tombstoneMs: 0 }
    expect(refusal({ sessionsMax: 3 }, small)).toBe('')
    expect(refusal({ tombstoneMs: 1 }, small)).toBe('tombstoneMs must be at least 300000')
  })

  test('limits of waits go along with every change', () => {
    const waits = { waitersPerKeyMax: 1, waitersPerSessionMax: 2, signalsPerKeyMax: 3, signalRetentionMaxMs: 4 }
    const wanted = changedLimits({ ...DEFAULT_LIMITS, waits }, [{ name: 'sessionsMax', value: 3 }])
    expect(wanted).toEqual({ ok: true, limits: { ...DEFAULT_LIMITS, sessionsMax: 3, waits } })
  })

  test('what the entry cannot hold is refused, and so is a limit that is named twice', () => {
    expect(refusal({ windowRequests: 0 })).toMatch(/^windowRequests cannot be used/)
    const twice = [1, 2].map((value) => ({ name: 'sessionsMax', value }))
    expect(changedLimits(DEFAULT_LIMITS, twice)).toEqual({
      ok: false,
      problem: { name: 'sessionsMax', problem: 'is named twice' },
    })
  })
})
