import { describe, expect, test } from 'vitest'
import { buildDifferences, buildsOfNodes, machineLines } from '../../../src/cli/cluster/builds-of-nodes.ts'

const [A, B, C] = ['a'.repeat(64), 'b'.repeat(64), 'c'.repeat(64)]
const version = (number: number, schema = A, code = C) => ({ version: number, schema, code })

/** A node that is at `active` of the machine stock and has these versions of it. */
const node = (
  id: string,
  versions: readonly ReturnType<typeof version>[],
  over: { readonly active?: number } = {},
) => ({
  id,
  appliedIndex: 10,
  machines: [{ name: 'stock', active: over.active ?? 1, schema: A, supported: versions }],
  runtime: 'v20.20.2',
  holdfast: '0.1.0',
  development: false,
  peerBuilds: [],
})
const differences = (known: Parameters<typeof buildsOfNodes>[0]): string[] =>
  buildDifferences(buildsOfNodes(known), machineLines(known))

describe('what nodes are built of', () => {
  test('a node in development among others is named', () => {
    const odd = { ...node('n2', [version(1)]), development: true }
    expect(differences([node('n1', [version(1)]), odd])).toEqual([
      'nodes run several modes: production (n1), development (n2)',
    ])
  })

  test('is said of none while all have the same', () => {
    expect(differences([node('n1', [version(1)]), node('n2', [version(1)])])).toEqual([])
  })

  test('a node without the active version is named, and what comes of it', () => {
    expect(differences([node('n1', [version(1)]), node('n2', [])])).toEqual([
      'n2 lacks stock 1, which is active: without it nothing is applied or answered there',
    ])
  })

  test('a newer version says which nodes it waits for; one below the active is nobody’s need', () => {
    const known = [
      node('n1', [version(1), version(2), version(3)], { active: 2 }),
      node('n2', [version(2)], { active: 2 }),
    ]
    expect(differences(known)).toEqual(['n2 lacks stock 3: it is switched on once every voter has it'])
  })

  test('another schema at the active version is told from the log’s, at a later one from each other', () => {
    expect(differences([node('n1', [version(1)]), node('n2', [version(1, B)])])).toEqual([
      'stock 1 of n2 declares something else than the active one',
    ])
    expect(differences([node('n1', [version(1), version(2)]), node('n2', [version(1), version(2, B)])])).toEqual([
      'stock 2 does not declare the same everywhere: aaaaaaaaaaaa (n1), bbbbbbbbbbbb (n2)',
    ])
  })

  test('other code at an equal version is shown, and binds nobody', () => {
    expect(differences([node('n1', [version(1)]), node('n2', [version(1, A, B)])])).toEqual([
      'stock 1 has other code on some nodes, which binds nobody: cccccccccccc (n1), bbbbbbbbbbbb (n2)',
    ])
  })

  test('a mix of Node’s versions or of builds is one line each, of nodes that were not asked as well', () => {
    const machines = [{ name: 'stock', versions: [version(1)] }]
    const told = { id: 'n2', machines, runtime: 'v22.3.0', holdfast: '0.2.0', development: false }
    expect(differences([{ ...node('n1', [version(1)]), peerBuilds: [told] }])).toEqual([
      'nodes run several versions of Node: v20.20.2 (n1), v22.3.0 (n2)',
      'nodes run several builds of Holdfast: 0.1.0 (n1), 0.2.0 (n2)',
    ])
  })

  test('a node that went back to a build that says nothing counts for nothing, whatever others remember', () => {
    const silent = { ...node('n2', []), machines: [], runtime: '', holdfast: '' }
    const told = { id: 'n2', machines: [], runtime: 'v1.0.0', holdfast: '9', development: false }
    expect(differences([{ ...node('n1', [version(1)]), peerBuilds: [told] }, silent])).toEqual([])
  })
})
