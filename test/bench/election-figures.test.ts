import { expect, test } from 'vitest'
import { type Asked, electionFigures, type ElectionTrial } from '../../bench/queries/election-figures.ts'
import { Elections } from '../../bench/queries/elections.ts'

const BOUNDS = { windowMs: 330, readMsMax: 20 }

function trial(
  asked: readonly (readonly [Asked['subject'], number, number | null])[],
  over: Partial<ElectionTrial> = {},
) {
  const all = asked.map(([subject, askedAt, answeredAt]) => ({ subject, askedAt, answeredAt }))
  return { killedAt: 1000, electedAt: 1040, limbo: null, asked: all, ...over }
}

test('reads count from the election, or from when they were asked after it, until the window is over', () => {
  const figures = electionFigures(
    [
      trial([
        ['quiet', 990, 995],
        ['quiet', 1010, 1045],
        ['quiet', 1100, 1130],
        ['quiet', 1371, 1400],
        ['busy', 1020, 1380],
        ['write', 980, 1000],
        ['write', 1030, 1390],
        ['write', 1380, 1385],
      ]),
    ],
    BOUNDS,
  )
  expect(figures).toMatchObject({
    electedMs: { count: 1, max: 40 },
    quietReadMs: { count: 2, p50: 5, p99: 30, max: 30 },
    busyReadMs: { count: 1, p50: 340 },
    firstReadMs: { p50: 5 },
    firstWriteMs: { p50: 345 },
    lateShare: 0.667,
    waitedShare: null,
    failures: 0,
  })
})

test('what failed, and an election after which nobody was answered, are failures', () => {
  const unserved = trial([
    ['quiet', 1050, null],
    ['busy', 1050, 1060],
  ])
  expect(electionFigures([unserved], BOUNDS).failures).toBe(3)
})

test('the share that waited is that of all reads that new leaders took in limbo', () => {
  const limbo = [{ served: 30, waited: 10 }, { served: 0, waited: 0 }, null, { served: 50, waited: 10 }]
  expect(
    electionFigures(
      limbo.map((one) => trial([], { limbo: one })),
      BOUNDS,
    ).waitedShare,
  ).toBe(0.2)
})

test('the first line of a term by which a node says that it leads is that of its election', async () => {
  const elections = new Elections()
  const later = elections.above(3)
  const line = (said: object) => elections.onLine('n1', JSON.stringify({ event: 'roleChanged', ...said }))
  elections.onLine('n1', 'no JSON')
  line({ time: '2026-01-01T00:00:00.000Z', term: 3, role: 'leader' })
  line({ time: '2026-01-01T00:00:01.000Z', term: 4, role: 'follower', leader: 'n2' })
  line({ time: '2026-01-01T00:00:02.000Z', term: 4, role: 'leader', ready: false })
  line({ time: '2026-01-01T00:00:03.000Z', term: 4, role: 'leader', ready: true })
  expect(await later).toEqual({ term: 4, at: Date.parse('2026-01-01T00:00:02.000Z') })
  expect([elections.of(3)?.at, elections.of(5)]).toEqual([Date.parse('2026-01-01T00:00:00.000Z'), null])
})
