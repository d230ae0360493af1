import { posix } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { freePorts } from '../../src/cli/cluster/free-ports.ts'
import { compileOnce } from '../cluster/processes.ts'
import { importsOf } from '../tidy/imports.ts'
import { sourcesBelow } from '../tidy/tree.ts'
import { runNode, userProject } from './user-project.ts'

beforeAll(compileOnce, 120_000)

const LAMP = `
import { command, defineMachine } from 'holdfast'
import { z } from 'zod'
export const lamp = defineMachine('lamp', { version: 1, state: {}, errors: {} }, {
  commands: { shine: command({ input: z.string(), output: z.string() }, (_ctx, where) => 'light in ' + where) },
})
`

describe("a node from the package's exports", () => {
  test('three nodes started with plain strings run a machine of the user, and leave nothing behind', async () => {
    const directory = userProject({
      'lamp.mjs': LAMP,
      'three.mjs': `
        import { connect } from 'holdfast'
        import { startNode } from 'holdfast/server'
        import { lamp } from './lamp.mjs'
        const peers = Object.fromEntries(process.argv.slice(2).map((port, at) => ['n' + (at + 1), '127.0.0.1:' + port]))
        const nodes = await Promise.all(Object.keys(peers).map((id) =>
          startNode({ id, peers, dataDirectory: 'data/' + id, machines: [lamp], onFault: (fault) => console.error(fault) })))
        const session = await connect({ endpoints: Object.values(peers), principal: 'user:ada', machines: [lamp] })
        const { kind, value } = await session.machines.lamp.shine('Kisumu')
        console.log(JSON.stringify({ kind, value, nodes: nodes.map(({ id, address }) => [id, address]) }))
        await session.close()
        await Promise.all(nodes.map((node) => node.close()))
      `,
    })
    const ports = await freePorts(3, '127.0.0.1')
    const { code, out, err } = await runNode(directory, ['three.mjs', ...ports.map(String)])
    expect(err).toBe('')
    expect(JSON.parse(out)).toEqual({
      kind: 'ok',
      value: 'light in Kisumu',
      nodes: ports.map((port, at) => [`n${at + 1}`, `127.0.0.1:${port}`]),
    })
    expect(code).toBe(0)
  })

  test('an embedded node is connected to without a socket, tells its status, and its clients when it closes', async () => {
    const directory = userProject({
      'lamp.mjs': LAMP,
      'alone.mjs': `
        import { connect, startEmbedded, StartError } from 'holdfast'
        import { lamp } from './lamp.mjs'
        const node = await startEmbedded({ dataDirectory: 'data', machines: [lamp] })
        const session = await connect({ embedded: node, principal: 'user:ada', machines: [lamp] })
        const { value } = await session.machines.lamp.shine('Kisumu')
        const { role, id } = node.status()
        await session.detach()
        await node.close()
        await node.close()
        const refused = await startEmbedded({ dataDirectory: 'data', machine: [lamp] }).catch((error) => error)
        const { code, field, message } = refused
        console.log(JSON.stringify({ value, role, id, known: refused instanceof StartError, code, field, message }))
      `,
    })
    const { out, err, code } = await runNode(directory, ['alone.mjs'])
    expect(err).toBe('')
    expect(JSON.parse(out)).toEqual({
      value: 'light in Kisumu',
      role: 'leader',
      id: 'n1',
      known: true,
      code: 'INVALID',
      field: 'options.machine',
      message: 'options.machine is unknown; did you mean machines?',
    })
    expect(code).toBe(0)
  })
})

describe('what a program loads that only connects', () => {
  const sources = sourcesBelow('src')

  /** Files that a module reaches at run time without waiting for anything. */
  function loadedBy(door: string): string[] {
    const seen = new Set([door])
    for (const path of seen) {
      for (const { specifier, typeOnly, dynamic } of importsOf(sources.get(path) ?? '')) {
        if (!typeOnly && !dynamic && specifier.startsWith('.')) seen.add(posix.join(posix.dirname(path), specifier))
      }
    }
    return [...seen]
  }

  test.each(['client/index.ts', 'index.ts'])('%s loads no store, no server and no driver', (door) => {
    const heavy = /^(?:server|storage|transport|assembly|gateway)\/|^node\/driver\.ts|^host\/run-node\.ts/
    expect(loadedBy(door).filter((path) => heavy.test(path))).toEqual([])
  })

  test('client/index.ts knows nothing of starting nodes', () => {
    expect(loadedBy('client/index.ts').filter((path) => path.startsWith('host/'))).toEqual([])
  })
})
