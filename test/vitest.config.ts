import { configDefaults, defineConfig } from 'vitest/config'
import { SUITES } from './suites.ts'

/**
 * `npm test`, and `npm run` with `test:quick`, `test:faults` and `test:long`. Test files share two processes: loading the
 * product again for each of them would take a third of the time, and what one leaves behind should not be able to hurt another.
 */
export default defineConfig(({ mode }) => {
  const suite = SUITES[mode]
  if (suite === undefined) throw new Error(`there is no suite "${mode}": take one of ${Object.keys(SUITES).join(', ')}`)
  console.error(suite.says)
  return {
    test: {
      root: new URL('..', import.meta.url).pathname,
      include: [...suite.include],
      exclude: [...configDefaults.exclude, ...suite.exclude],
      pool: 'forks',
      isolate: false,
      maxWorkers: 2,
      env: { HOLDFAST_TEST_EFFORT: String(suite.effort) },
      testTimeout: suite.timeoutMs,
      hookTimeout: suite.timeoutMs,
    },
  }
})
