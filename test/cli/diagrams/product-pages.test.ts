import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { machineDiagram } from '../../../src/cli/diagrams/machine-diagram.ts'
import type { Mountable } from '../../../src/machine/index.ts'
import { PRODUCT_MACHINES } from '../../../src/machines/index.ts'
import { ROOT } from '../../tidy/tree.ts'

const graphsOf = (machine: Mountable): readonly string[] =>
  machine.kind === 'definition' ? Object.keys(machine.schema.graphs ?? {}) : []
const pageOf = (name: string): string => join(ROOT, 'docs', 'machines', `${name}.md`)

/** What the product runs and draws, each name in its highest version. */
const drawn = [...new Map(PRODUCT_MACHINES.map((machine) => [machine.name, machine])).values()]
  .map((machine) => ({ name: machine.name, graphs: graphsOf(machine) }))
  .filter(({ graphs }) => graphs.length > 0)

describe('the diagrams of the product are those of its pages', () => {
  test.each(drawn.flatMap(({ name, graphs }) => graphs.map((graph) => [name, graph] as const)))(
    'without --machines `holdfast machine diagram %s --graph %s --check` finds it in the page',
    async (name, graph) => {
      await expect(machineDiagram(name, { format: 'mermaid', graph, check: pageOf(name) })).resolves.toBeUndefined()
    },
  )

  test('every machine that has a page is among them', () => {
    const pages = readdirSync(join(ROOT, 'docs', 'machines')).map((file) => file.replace(/\.md$/, ''))
    expect(drawn.map(({ name }) => name).sort()).toEqual(pages.sort())
  })
})
