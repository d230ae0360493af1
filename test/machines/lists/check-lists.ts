import { expect, test } from 'vitest'
import { checkMachine } from '../../../src/testing/index.ts'
import { sample } from '../../effort.ts'
import { type MachineLists, missing, reachedBy } from './machine-lists.ts'

/** `npm run machines:check` runs ten thousand, in pieces; the long suite a tenth of it. */
const LISTS = sample(1) > 1 ? 1_000 : 10

/** The tests of a machine's lists: its properties hold, and the lists come to what is to be checked. */
export function checkLists(lists: () => MachineLists): void {
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
    expect(missing(walked, walked.reached).filter((what) => !/^(code|ok) /.test(what))).toEqual([])
  })
}
