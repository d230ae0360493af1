import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { compileOnce } from '../cluster/processes.ts'
import { userProject } from '../host/user-project.ts'
import { ROOT } from '../tidy/tree.ts'
import { Programs } from './programs.ts'

beforeAll(compileOnce, 120_000)

test.each([
  ['inventory', 'parcel of r-1\n3 are left\n{"free":3,"held":0,"sold":2}\n'],
  ['chat', 'Grace: Hello, and good-bye\nGrace has left\n["Ada"]\n'],
  ['rate-limiter', '0 left\nlimited\npassed\n'],
])('the example %s runs from a copy of its folder', async (name, printed) => {
  const folder = userProject()
  cpSync(join(ROOT, 'examples', name), join(folder, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules/jiti'), join(folder, 'node_modules/jiti'))
  const holdfast = join(ROOT, 'dist/src/cli/main.js')
  const node = new Programs(folder)
  onTestFinished(() => node.killAll())
  const words = ['dev', '--machines', `${name}/${name}.ts`, '--listen', '127.0.0.1:0', '--json']
  const { child, lines } = await node.lines(process.execPath, [holdfast, ...words], 1)
  const { address } = JSON.parse(lines[0] ?? '') as { address: string }
  const client = new Programs(folder, { HOLDFAST_ENDPOINTS: address })
  onTestFinished(() => client.killAll())
  const jiti = join(ROOT, 'node_modules/jiti/lib/jiti-cli.mjs')
  expect(await client.run(process.execPath, [jiti, `${name}/client.ts`])).toBe(printed)
  await node.stop(child, 'SIGTERM')
})
