import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { compileOnce } from '../../cluster/processes.ts'
import { runNode, userProject } from '../../host/user-project.ts'
import { ROOT } from '../../tidy/tree.ts'

beforeAll(compileOnce, 120_000)

/** A machine `lamp`, as a user writes one. */
const lamp = (version: number, name = 'lamp'): string =>
  `defineMachine('${name}', { version: ${version}, state: {}, errors: {} }, { commands: {} })`
const IMPORT = "import { defineMachine } from 'holdfast'\n"

/** Prints, for each file, the machines in it or the sentence that refuses it. */
const PROBE = `
const { loadMachines } = await import(process.argv[2])
const said = {}
for (const file of process.argv.slice(3)) {
  said[file] = await loadMachines(file).then(
    (machines) => machines.map(({ name, version }) => name + ' v' + version),
    (error) => error.exitCode + ': ' + error.message + ' | ' + error.cure,
  )
}
console.log(JSON.stringify(said))
`

const FILES = {
  'named.mjs': `${IMPORT}export const a = ${lamp(1)}\nexport const b = ${lamp(1, 'stock')}\nexport const other = 7`,
  'both.js': `${IMPORT}export const a = ${lamp(1)}\nexport default [a, ${lamp(2)}]`,
  'typed.ts': `${IMPORT}import { level } from './level.ts'
    enum Colour { Red = 1 }
    import type { Gone } from './gone.ts'
    const version: number = level - Colour.Red
    export const lamp = ${lamp(1)}
    export const next = defineMachine('lamp', { version, state: {}, errors: {} }, { commands: {} })`,
  'level.ts': 'export const level: number = 3',
  'notes.txt': 'lamp',
  'broken.mjs': 'export const a = 1\nexport const b = = 2\n',
  'broken.ts': 'export const a: number = 1\nexport const b: number = = 2\n',
  'far.mjs': "import './broken.mjs'\n",
  'throws.ts': "export const a: number = 1\nthrow new Error('no lamp today')",
  'refused.ts': `${IMPORT}\nexport const a = ${lamp(0)}`,
  'lacks.mjs': "import { lamp } from './lamps.mjs'\nexport { lamp }",
  'empty.ts': 'export {}',
  'none.mjs': 'export const lamp = { name: 1 }\nexport default [1]',
  'twice.mjs': `${IMPORT}export const a = ${lamp(1)}\nexport const b = [${lamp(1)}]`,
  'copied/machines.mjs': `${IMPORT}export const a = ${lamp(1)}`,
} as const

describe('a module of machines', () => {
  test('is loaded in every form, and what is wrong with it is said with its place', async () => {
    const directory = userProject({ ...FILES, 'probe.mjs': PROBE })
    secondCopy(join(directory, 'copied'))
    const files = [...Object.keys(FILES), 'gone.ts']
    const loader = join(ROOT, 'dist/src/cli/machines/load-machines.js')
    const { out, err } = await runNode(directory, ['probe.mjs', loader, ...files])
    expect(err).toBe('')
    const said = JSON.parse(out)
    expect(said['named.mjs']).toEqual(['lamp v1', 'stock v1'])
    expect(said['both.js']).toEqual(['lamp v1', 'lamp v2'])
    expect(said['typed.ts']).toEqual(['lamp v1', 'lamp v2'])
    expect(said['gone.ts']).toMatch(/^2: --machines: there is no file .*gone\.ts/)
    expect(said['notes.txt']).toMatch(/^2: --machines: .*notes\.txt is no module.*\.ts, \.mts/)
    for (const file of ['broken.mjs', 'broken.ts', 'far.mjs']) {
      expect(said[file]).toMatch(new RegExp(`^1: --machines: .*${file} cannot be loaded: .*broken\\.\\w+:2:\\d+`))
    }
    expect(said['throws.ts']).toMatch(/^1: .*no lamp today, at .*throws\.ts:2:\d+/)
    expect(said['refused.ts']).toMatch(/^1: .*a machine version is an integer from 1/)
    expect(said['lacks.mjs']).toMatch(/^1: .*lamps\.mjs/)
    expect(said['empty.ts']).toMatch(/^1: .*exports no machine; it exports nothing \| Export what defineMachine gives/)
    expect(said['none.mjs']).toMatch(/^1: .*exports no machine; it exports default, lamp/)
    expect(said['twice.mjs']).toMatch(/^1: .*exports two machines lamp v1: a and b\[0\] \| Give one of them/)
    expect(said['copied/machines.mjs']).toMatch(
      /^1: .*the machine lamp \(export a\) was made by another copy of holdfast, in .*copied\/node_modules\/holdfast; this one runs from/,
    )
  })
})

/** Installs the package once more, for what lies below that folder. */
function secondCopy(directory: string): void {
  const copy = join(directory, 'node_modules', 'holdfast')
  mkdirSync(join(copy, 'dist'), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'))
  cpSync(join(ROOT, 'dist', 'src'), join(copy, 'dist', 'src'), { recursive: true })
  rmSync(join(copy, 'node_modules'), { recursive: true, force: true })
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
}
