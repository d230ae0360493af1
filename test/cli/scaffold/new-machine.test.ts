import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { compileOnce } from '../../cluster/processes.ts'
import { runNode, userProject } from '../../host/user-project.ts'
import { ROOT } from '../../tidy/tree.ts'

beforeAll(compileOnce, 120_000)

const holdfast = join(ROOT, 'dist/src/cli/main.js')

test('a machine of any name is written with its test and diagram, exported, and loads', async () => {
  const directory = userProject({ 'machines.ts': '// Every machine.' })
  // Words of the language and of the template are names of machines all the same.
  for (const name of ['price-list', 'class', 'query', 'sample']) {
    const { code, err, out } = await runNode(directory, [holdfast, 'new', 'machine', name])
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain(`machines/${name}.ts, machines/${name}.test.ts and machines/${name}.mmd are written`)
  }
  const { code, err } = await runNode(directory, [holdfast, 'config', 'check', '--machines', 'machines.ts'])
  expect([code, err]).toEqual([0, ''])
  expect(readdirSync(join(directory, 'machines'))).toHaveLength(12)
  const words = ['machine', 'diagram', 'price-list', '--machines', 'machines.ts', '--check', 'machines/price-list.mmd']
  expect(await runNode(directory, [holdfast, ...words])).toMatchObject({ code: 0, out: '' })
  const machine = readFileSync(join(directory, 'machines/price-list.ts'), 'utf8')
  writeFileSync(join(directory, 'machines/price-list.ts'), machine.replace("close: 'closed'", "shut: 'closed'"))
  expect(await runNode(directory, [holdfast, ...words])).toMatchObject({
    code: 1,
    err: expect.stringContaining('machines/price-list.mmd does not hold the diagram of price-list as it is now'),
  })
})

test('what is no name, no project or there already is refused with its reason', async () => {
  const directory = userProject()
  const said = async (name: string): Promise<string> => {
    const { code, err } = await runNode(directory, [holdfast, 'new', 'machine', name])
    return `${code}: ${err}`
  }
  expect(await said('Prices')).toMatch(/^2: .*a machine is named by 1–32 of a-z 0-9 -/s)
  expect(await said('task')).toMatch(/^2: .*belongs to the framework/s)
  expect(await said('prices')).toMatch(/^1: .*there is no machines\.ts in .*holdfast new project DIR/s)
  mkdirSync(join(directory, 'machines'))
  writeFileSync(join(directory, 'machines.ts'), '')
  writeFileSync(join(directory, 'machines/prices.test.ts'), '')
  expect(await said('prices')).toMatch(/^1: .*machines\/prices\.test\.ts is there already/s)
  expect(readdirSync(join(directory, 'machines'))).toEqual(['prices.test.ts'])
})
