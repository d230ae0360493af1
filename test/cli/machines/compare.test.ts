import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type ActiveMachine, compareMachines } from '../../../src/cli/machines/compare-machines.ts'
import { machineLines } from '../../../src/cli/machines/machine-lines.ts'
import { type DeclaredMachine, declaredMachines } from '../../../src/cli/machines/machine-sides.ts'
import { command, defineMachine, type Mountable, table } from '../../../src/machine/index.ts'

function stock(version: number, change: { count?: z.ZodType; handler?: () => number; extra?: true } = {}): Mountable {
  const { count = z.int(), handler = () => 1 } = change
  const take = command({ input: z.object({ item: z.string(), count }), output: z.int() }, handler)
  const more = change.extra === true ? { extra: take } : {}
  const state = { items: table(z.string(), z.int()) }
  return defineMachine('stock', { version, state, errors: {} }, { commands: { take, ...more } })
}

/** What one node has, and runs. */
function running(active: number, builds: readonly DeclaredMachine[]): ActiveMachine[] {
  const schema = builds.find(({ version }) => version === active)?.schema ?? ''
  return [{ name: 'stock', active, schema, builds: builds.map((build) => ({ where: 'n1', ...build })) }]
}

const declared = (...machines: Mountable[]): readonly DeclaredMachine[] => declaredMachines(machines)

describe('a module compared with what runs', () => {
  test('says nothing when it is the same', () => {
    expect(compareMachines(running(1, declared(stock(1))), declared(stock(1)))).toEqual([])
  })

  test('is refused without the machine, and without the version that runs', () => {
    const there = running(1, declared(stock(1)))
    expect(compareMachines(there, [])).toMatchObject([{ severity: 'error', what: 'missing' }])
    expect(compareMachines(there, declared(stock(2)))).toMatchObject([{ severity: 'error', what: 'missing' }])
  })

  test('is refused with another schema at an equal version, and names the first place', () => {
    const there = running(1, declared(stock(1)))
    const [changed] = compareMachines(there, declared(stock(1, { count: z.string() })))
    expect(changed).toMatchObject({ severity: 'error', what: 'schema' })
    expect(changed?.path).toMatch(/^commands\.take\.input\.shape\.count\./)
    const [added] = compareMachines(there, declared(stock(1, { extra: true })))
    expect(added).toMatchObject({ severity: 'error', path: 'commands.extra' })
    expect(added?.message).toContain('commands.extra is absent there')
  })

  test('is warned about for other handlers, and notes a version that would follow', () => {
    const there = running(1, declared(stock(1)))
    expect(compareMachines(there, declared(stock(1, { handler: () => 2 })))).toMatchObject([
      { severity: 'warning', what: 'handlers' },
    ])
    expect(compareMachines(there, declared(stock(1), stock(2)))).toMatchObject([{ severity: 'note', what: 'newer' }])
    expect(compareMachines([], declared(stock(1)))).toMatchObject([{ severity: 'note', what: 'new' }])
  })

  test('is refused where a version that does not run yet is something else on a node', () => {
    const there = running(1, declared(stock(1), stock(2)))
    const found = compareMachines(there, declared(stock(1), stock(2, { extra: true })))
    expect(found.map(({ what }) => what)).toEqual(['newer', 'schema'])
  })
})

test('the list says of each node what it lacks and has otherwise', () => {
  const node = (id: string, appliedIndex: number, ...machines: Mountable[]) => ({
    id,
    appliedIndex,
    machines: [{ name: 'stock', active: 1, schema: '', builds: declared(...machines) }],
  })
  const reports = [
    node('n1', 9, stock(1), stock(2)),
    node('n2', 8, stock(1)),
    node('n3', 8, stock(1, { handler: () => 2 }), stock(2)),
  ]
  expect(
    machineLines(reports, declared(stock(1))).map(({ node: id, versions, differs }) => [id, versions, differs]),
  ).toEqual([
    ['n1', [1, 2], []],
    ['n2', [1], ['has no version 2']],
    ['n3', [1, 2], ['other handlers of version 1 than n1']],
    ['module', [1], ['has no version 2']],
  ])
})
