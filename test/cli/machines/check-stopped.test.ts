import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { eventually } from '../../../bench/agreement.ts'
import { stoppedLines } from '../../../src/cli/machines/check-stopped.ts'
import { connect } from '../../../src/client/index.ts'
import { startEmbedded } from '../../../src/host/index.ts'
import { checkDirectory } from '../../../src/host/stopped/check-directory.ts'
import { command, defineMachine, type Mountable, table } from '../../../src/machine/index.ts'
import { userProject, userProjectFor } from '../../host/user-project.ts'

function stock(version: number, { count = z.int() as z.ZodType, other = false, name = 'stock' } = {}): Mountable {
  const io = { input: z.object({ item: z.string(), count }), output: z.int() }
  const state = { items: table(z.string(), z.int()) }
  const add = other ? command(io, () => 2) : command(io, () => 1)
  return defineMachine(name, { version, state, errors: {} }, { commands: { add } })
}

/** A directory on which version 1 ran, and then version 2; a snapshot is behind the last `snapshotBytes` of its log. */
async function history(directory: string, snapshotBytes: number): Promise<void> {
  const run = async (machines: readonly Mountable[]): Promise<void> => {
    const node = await startEmbedded({ dataDirectory: directory, machines, limits: { snapshotBytes } })
    const session = await connect({ embedded: node, principal: 'user:ada' })
    for (let time = 0; time < 5; time += 1)
      expect(await session.execute('stock', 'add', { item: 'x', count: 1 })).toMatchObject({ kind: 'ok' })
    await session.close()
    const [highest] = machines.slice(-1)
    const version = highest?.kind === 'definition' ? highest.version : 1
    await eventually(`version ${version}`, async () =>
      node.status().machines.some(({ name, active }) => name === 'stock' && active === version) ? true : null,
    )
    await node.close()
  }
  await run([stock(1)])
  await run([stock(1), stock(2)])
}

const project = userProjectFor(afterAll)
const whole = join(project, 'whole')
const covered = join(project, 'covered')
beforeAll(async () => {
  await history(whole, 1_000_000)
  await history(covered, 1)
})

const OTHER = { count: z.string() }

const MODULES: readonly [string, readonly Mountable[]][] = [
  ['both versions', [stock(1), stock(2)]],
  ['the first one alone', [stock(1)]],
  ['the second one alone', [stock(2)]],
  ['another schema of the first', [stock(1, OTHER), stock(2)]],
  ['another schema of the second', [stock(1), stock(2, OTHER)]],
  ['another machine', [stock(2, { name: 'shop' })]],
  ['one version more', [stock(1), stock(2), stock(3)]],
]

/** Where a start on a copy of the directory halts, or null. */
async function haltOfStart(directory: string, machines: readonly Mountable[]): Promise<object | null> {
  const copy = join(userProject(), 'copy')
  cpSync(directory, copy, { recursive: true })
  const node = await startEmbedded({ dataDirectory: copy, machines, logLevel: 'silent' })
  const status = await eventually('a replay that is over', async () => {
    const now = node.status()
    return now.halted !== null || (now.role === 'leader' && now.appliedIndex === now.lastIndex) ? now : null
  })
  await node.close()
  return status.halted === null ? null : { code: status.halted.code, index: status.halted.index }
}

describe.each([
  ['with its whole log', whole],
  ['with a snapshot above the switch', covered],
])('a directory %s', (_which, directory) => {
  test.each(MODULES)('says of %s what its start does', async (_what, machines) => {
    const { needed } = await checkDirectory(directory, machines)
    const first = needed.find(({ halt }) => halt !== null)
    const foretold = first === undefined ? null : { code: first.halt?.code, index: first.index }
    expect(foretold).toEqual(await haltOfStart(directory, machines))
  })
})

test('names verdict, handlers and the place that differs, of every version that the log names or the module has', async () => {
  const lines = async (machines: readonly Mountable[], against: readonly Mountable[] | null = null) =>
    stoppedLines(await checkDirectory(whole, machines), { machines, against })
  expect(await lines([stock(1), stock(2), stock(3), stock(1, { name: 'shop' })])).toMatchObject([
    { machine: 'stock', version: 1, verdict: 'ok', active: false, handlers: 'same' },
    { machine: 'stock', version: 2, verdict: 'ok', active: true, handlers: 'same' },
    { machine: 'shop', version: 1, verdict: 'new', from: null },
    { machine: 'stock', version: 3, verdict: 'newer', from: null },
  ])
  expect(await lines([stock(2, { other: true })])).toMatchObject([
    { version: 1, verdict: 'missing', handlers: null },
    { version: 2, verdict: 'ok', handlers: 'changed' },
  ])
  const [, unknown] = await lines([stock(1), stock(2, OTHER)])
  expect(unknown).toMatchObject({ verdict: 'differs', path: null })
  const [, named] = await lines([stock(1), stock(2, OTHER)], [stock(1), stock(2)])
  expect(named?.path).toMatch(/^commands\.add\.input\.shape\.count\./)
  expect(named?.message).toContain('make it version 3')
})
