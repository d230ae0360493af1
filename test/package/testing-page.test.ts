import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { compileOnce } from '../cluster/processes.ts'
import { read, ROOT } from '../tidy/tree.ts'
import { packedProject } from './packed.ts'

beforeAll(compileOnce)

/** A runner that has not ended by then hangs. */
const RUN_MS_MAX = 100_000

/** The page's blocks, in order, as the one file that they are. */
function suite(runner: 'node:test' | 'vitest'): string {
  const blocks = [...read('docs/concepts/testing.md').matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, block]) => block)
  expect(blocks).toHaveLength(4)
  return blocks.join('\n').replace("from 'node:test'", `from '${runner}'`)
}

function run(folder: string, ...parameters: string[]) {
  // Neither runner is to believe that it is a part of this one.
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:VITEST|NODE_TEST|NODE_OPTIONS|TEST$|NODE_ENV)/.test(name),
  )
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, {
    cwd: folder,
    env: Object.fromEntries(kept),
    encoding: 'utf8',
    timeout: RUN_MS_MAX,
  })
  return { status, output: stdout + stderr }
}

test('the page on testing runs from an installed package, with node:test and with vitest', async () => {
  const folder = await packedProject({ 'stock.test.mjs': suite('node:test') })
  const byNode = run(folder, '--test', 'stock.test.mjs')
  expect(byNode, byNode.output).toMatchObject({ status: 0, output: expect.stringMatching(/pass 3\b[\s\S]*fail 0\b/) })
  writeFileSync(join(folder, 'stock.test.mjs'), suite('vitest'))
  const byVitest = run(folder, join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder)
  expect(byVitest, byVitest.output).toMatchObject({ status: 0, output: expect.stringMatching(/3 passed/) })
})
