import { expect, test } from 'vitest'
import { explore } from './explore.ts'
import { CUT_SHORT } from './spaces.ts'

/** Some five seconds on an idle core. */
const PATIENCE_MS = 300_000

test.each(CUT_SHORT)('no state breaks a rule: $name', { timeout: PATIENCE_MS }, ({ bounds }) => {
  const { violation, states, ended } = explore(bounds, () => false)
  expect([violation?.rule ?? null, violation?.path ?? [], ended]).toEqual([null, [], true])
  // One that reaches nothing would be no proof.
  expect(states).toBeGreaterThan(5000)
})
