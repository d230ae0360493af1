import { describe, expect, test } from 'vitest'
import { checkMachine } from '../../../src/testing/index.ts'
import { sample } from '../../effort.ts'
import { gatesLists } from './gates-lists.ts'
import { missing, reachedBy } from './machine-lists.ts'
import { paymentsLists } from './payments-lists.ts'
import { sessionLists } from './session-lists.ts'

/** `npm run machines:check` runs ten thousand, in pieces; the long suite a tenth of it. */
const LISTS = sample(1) > 1 ? 1_000 : 10

describe.each([
  ['session', 'domain.md §1.11 L-I1 to L-I7, PL1 to PL6', sessionLists],
  ['gates', 'domain.md §2.11 PG1, PG5, PG6, PG8', gatesLists],
  ['payments', 'domain.md §3.12 PP1 to PP4, PP6, PP9 to PP12', paymentsLists],
] as const)('lists of commands for %s (%s)', (_machine, _properties, lists) => {
  test(
    `the properties hold after every entry of ${LISTS} lists`,
    async () => {
      const drawn = lists()
      const report = await checkMachine(drawn.machine, { ...drawn.options, runs: LISTS })
      expect(Object.keys(report.commands).sort()).toEqual(Object.keys(drawn.machine.commands).sort())
      if (LISTS >= 1_000) expect(missing(drawn, reachedBy(drawn, report))).toEqual([])
    },
    60_000 + LISTS * 2_000,
  )

  // A check that never comes to a state has checked nothing of it.
  test('the ways that lists begin with come to every state and every edge', async () => {
    const walked = lists()
    for (const replay of walked.options.begin ?? []) await checkMachine(walked.machine, { ...walked.options, replay })
    expect(missing(walked, walked.reached).filter((what) => !what.startsWith('code '))).toEqual([])
  })
})
