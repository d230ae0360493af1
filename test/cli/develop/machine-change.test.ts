import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { machineChange } from '../../../src/cli/develop/machine-change.ts'
import { moduleFiles } from '../../../src/cli/develop/module-files.ts'
import { temporaryDirectory } from '../../cluster/processes.ts'

const machine = (name: string, version: number, over: { schema?: string; code?: string } = {}) => ({
  name,
  version,
  schema: `s${version}`,
  code: `c${version}`,
  ...over,
})

describe('machines that have changed', () => {
  const stock = machine('stock', 1)

  test.each([
    ['nothing', [stock], [stock]],
    ['a machine that is new', [stock], [stock, machine('lamp', 1)]],
    ['the next version beside the one that runs', [stock], [machine('stock', 2), stock]],
  ])('may go on: %s', (_what, before, after) => {
    expect(machineChange(before, after)).toEqual([])
  })

  test.each([
    ['other handlers', [machine('stock', 1, { code: 'x' })]],
    ['other tables', [machine('stock', 1, { schema: 'x', code: 'x' })]],
    ['is gone', []],
    ['is gone', [machine('stock', 2)]],
  ])('may not go on: %s', (words, after) => {
    const [sentence, ...more] = machineChange([stock], after)
    expect(sentence).toMatch(new RegExp(`^stock v1 .*${words}`))
    expect(more).toEqual([])
  })

  test('nor may the first version go or change once a second one runs: history was made by both', () => {
    const [second, before] = [machine('stock', 2), [stock, machine('stock', 2)]]
    expect(machineChange(before, [second])).toEqual([expect.stringMatching(/^stock v1 is gone/)])
    const changed = machine('stock', 1, { code: 'x' })
    expect(machineChange(before, [changed, second])).toEqual([expect.stringMatching(/^stock v1 has other handlers/)])
  })
})

test('the files of a module are those that it imports by relative paths, under whatever name', async () => {
  const directory = await temporaryDirectory()
  const write = (name: string, text: string): void => writeFileSync(join(directory, name), text)
  mkdirSync(join(directory, 'rules'))
  write(
    'machines.ts',
    "import { a } from './a.js'\nexport * from './rules'\nimport 'holdfast'\nawait import('../gone.ts')",
  )
  write('a.ts', 'import b from "./b"\nconst c = require(\'./c.json\')')
  write('b.mjs', "import './machines.ts'")
  write('c.json', '{}')
  write('rules/index.ts', '')
  write('other.ts', '')
  const found = moduleFiles(join(directory, 'machines.ts')).map((path) => path.slice(directory.length + 1))
  expect(found).toEqual(['a.ts', 'b.mjs', 'c.json', 'machines.ts', 'rules/index.ts'])
})
