import { readFileSync } from 'node:fs'
import { configDefaults, defineConfig } from 'vitest/config'
import { SUITES } from './suites.ts'

const ROOT = new URL('..', import.meta.url).pathname

/**
 * `npm test`, and `npm run` with `test:quick`, `test:faults` and `test:long`. Test files share two processes: loading the
 * product again for each of them would take a third of the time, and what one leaves behind should not be able to hurt another.
 */
export default defineConfig(({ mode }) => {
  const suite = SUITES[mode]
  if (suite === undefined) throw new Error(`there is no suite "${mode}": take one of ${Object.keys(SUITES).join(', ')}`)
  console.error(suite.says)
  return {
    // Templates and examples import the package by its name: here its sources.
    resolve: { alias: doors() },
    test: {
      root: ROOT,
      include: [...suite.include],
      exclude: [...configDefaults.exclude, ...suite.exclude],
      globalSetup: 'test/package/run-folder.ts',
      pool: 'forks',
      isolate: false,
      maxWorkers: 2,
      env: { HOLDFAST_TEST_EFFORT: String(suite.effort) },
      testTimeout: suite.timeoutMs,
      hookTimeout: suite.timeoutMs,
    },
  }
})

function doors(): { find: RegExp; replacement: string }[] {
  const { exports } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
    readonly exports: { readonly [door: string]: { readonly default: string } }
  }
  return Object.entries(exports).map(([door, { default: compiled }]) => ({
    find: new RegExp(`^holdfast${door.slice(1)}$`),
    replacement: compiled.replace('./dist/', ROOT).replace(/\.js$/, '.ts'),
  }))
}
