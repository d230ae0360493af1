import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { command, defineMachine, identityOf, type Mountable, query, table } from '../../src/machine/index.ts'
import { counter, register } from '../../src/machines/index.ts'
import { temporaryDirectory } from '../../src/storage/disk/temporary-directory.ts'
import { embeddedNode } from '../../src/testing/index.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function newDirectory(): Promise<string> {
  const { path, remove } = await temporaryDirectory()
  cleanups.push(remove)
  return path
}

/** A directory that the build before AdvanceVersion entries wrote: a session and five increments of `a`, 15 in all. */
async function earlierDirectory(): Promise<string> {
  const path = await newDirectory()
  const files = JSON.parse(readFileSync(new URL('earlier-directory.json', import.meta.url), 'utf8')) as object
  for (const [name, packed] of Object.entries(files) as [string, string][]) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), gunzipSync(Buffer.from(packed, 'base64')))
  }
  return path
}

type Machines = Parameters<typeof embeddedNode>[0]['machines']

/** Opens, does something, and closes again. */
async function withNode<Result>(
  directory: string,
  machines: readonly Mountable[],
  run: (node: Awaited<ReturnType<typeof embeddedNode>>) => Promise<Result> | Result,
): Promise<Result> {
  const node = await embeddedNode({ directory, machines: machines as Machines })
  try {
    return await run(node)
  } finally {
    await node.close()
  }
}

const valueOfA = (node: Awaited<ReturnType<typeof embeddedNode>>): unknown =>
  node.node.machine.query({ machine: 'counter', query: 'value', input: 'a', session: null })

test('a directory of the build before gets exactly one entry that names its machines, and keeps what it held', async () => {
  const directory = await earlierDirectory()
  const { schema } = identityOf(counter)
  const first = await withNode(directory, [counter], async (node) => {
    await new Promise<void>((resolve) => node.node.waitApplied(12, () => resolve()))
    expect(valueOfA(node)).toEqual({ kind: 'value', value: 15 })
    expect(node.node.machine.machines()).toMatchObject([{ name: 'counter', active: 1, schema }])
    return node.node.machine.appliedIndex
  })
  // Ten entries of the build before, the no-op of a new leader, the versions.
  expect(first).toBe(12)
  await withNode(directory, [counter], (node) => {
    expect(node.node.machine.appliedIndex).toBe(13)
    expect(valueOfA(node)).toEqual({ kind: 'value', value: 15 })
  })
})

test('a restart without a machine is refused with a sentence, and with it again nothing acknowledged is missing', async () => {
  const directory = await newDirectory()
  const add = async (node: Awaited<ReturnType<typeof embeddedNode>>, times: number): Promise<void> => {
    const session = await node.session('user:a')
    for (let count = 0; count < times; count += 1) {
      const outcome = await session.execute('counter', 'increment', { name: 'a' })
      expect(outcome.kind).toBe('ok')
    }
    await session.close()
  }
  await withNode(directory, [counter, register], (node) => add(node, 8))
  await expect(withNode(directory, [register], () => undefined)).rejects.toThrow(
    /machine counter at version 1 .*this build does not have it \(it has register\)/,
  )
  await withNode(directory, [counter, register], async (node) => {
    expect(valueOfA(node)).toEqual({ kind: 'value', value: 8 })
    await add(node, 1)
    expect(valueOfA(node)).toEqual({ kind: 'value', value: 9 })
  })
})

/** A machine of one version that keeps its rows in one of two ways. */
const stock = (row: z.ZodType, version = 1) =>
  defineMachine(
    'stock',
    { version, state: { items: table(z.string(), row) } },
    {
      commands: {
        put: command({ input: z.string(), output: z.null() }, (ctx, name) => {
          ctx.state.items.set(name, version as never)
          return null
        }),
      },
      queries: { all: query({ input: z.null(), output: z.int() }, (view) => view.items.range({ limit: 10 }).length) },
      migrations: { 2: (ctx) => ctx.state.items.set('migrated', 2 as never) },
    },
  )

test('a changed schema at the same version is refused with a sentence; as a new version it is switched on', async () => {
  const directory = await newDirectory()
  const put = async (node: Awaited<ReturnType<typeof embeddedNode>>, name: string): Promise<void> => {
    const session = await node.session('user:a')
    expect(await session.execute('stock', 'put', name)).toMatchObject({ kind: 'ok' })
    await session.close()
  }
  const [old, changed] = [stock(z.int()), stock(z.int().nullable())]
  await withNode(directory, [old], (node) => put(node, 'a'))
  await expect(withNode(directory, [changed], () => undefined)).rejects.toThrow(
    /machine stock at version 1 .*what it declares is not the same/,
  )
  await withNode(directory, [old, stock(z.int().nullable(), 2)], async (node) => {
    // By version 1 or 2: whichever is active when it is applied, the client hears of no change.
    await put(node, 'b')
    while (node.node.machine.activeVersion('stock') !== 2) {
      await new Promise((resolve) => node.node.waitApplied(node.node.machine.appliedIndex + 1, resolve))
    }
    await put(node, 'c')
    const all = node.node.machine.query({ machine: 'stock', query: 'all', input: null, session: null })
    expect(all).toEqual({ kind: 'value', value: 4 })
  })
})

test('a changed handler at the same version is refused where it makes another state of the log, and the old one goes on', async () => {
  const directory = await newDirectory()
  const tally = (step: number) =>
    defineMachine(
      'tally',
      { version: 1, state: { counts: table(z.string(), z.int()) } },
      {
        commands: {
          add: command({ input: z.null(), output: z.int() }, (ctx) => {
            const next = (ctx.state.counts.get('all') ?? 0) + step
            ctx.state.counts.set('all', next)
            return next
          }),
        },
      },
    )
  const add = (by: number) =>
    withNode(directory, [tally(by)], async (node) => {
      const session = await node.session('user:a')
      const outcome = await session.execute('tally', 'add', null)
      await session.close()
      return outcome
    })
  expect(await add(1)).toMatchObject({ kind: 'ok', value: 1 })
  await expect(add(10)).rejects.toThrow(
    /REPLAY_DIVERGED: applied again, the log gives another state than before this start/,
  )
  expect(await add(1)).toMatchObject({ kind: 'ok', value: 2 })
})
