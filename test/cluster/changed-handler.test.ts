import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { eventually } from '../../bench/agreement.ts'
import { connect, fetchStatus } from '../../src/client/index.ts'
import { decodeTrail } from '../../src/storage/format/trail-record.ts'
import { userProject } from '../host/user-project.ts'
import { compileOnce, realCluster, Said } from './processes.ts'

beforeAll(compileOnce)

const TIMEOUT_MS = 120_000
const COMMANDS = 12

/** A machine that adds `by` to its one number. */
const tally = (by: number): string => `
import { command, defineMachine, query, table } from 'holdfast'
import { z } from 'zod'
export const tally = defineMachine(
  'tally',
  { version: 1, state: { totals: table(z.string(), z.int()) }, errors: {} },
  {
    commands: {
      add: command({ input: z.string(), output: z.int() }, (ctx, name) => {
        const next = (ctx.state.totals.get(name) ?? 0) + ${by}
        ctx.state.totals.set(name, next)
        return next
      }),
    },
    queries: {
      total: query({ input: z.string(), output: z.int() }, (view, name) => view.totals.get(name) ?? 0),
    },
  },
)
`

test(
  'a node whose handler changed without a version halts in its replay, and the old code has everything again',
  async () => {
    const project = userProject({ 'machines.js': tally(1) })
    const said = new Said()
    const cluster = await realCluster({
      nodes: 1,
      machines: join(project, 'machines.js'),
      onLine: said.hear,
    })
    const [member] = cluster.members
    if (member === undefined) throw new Error('one node')
    const options = {
      endpoints: cluster.endpoints,
      principal: 'user:ada',
      deadlineMs: 60_000,
      connectDeadlineMs: 60_000,
    }
    const first = await connect(options)
    for (let value = 1; value <= COMMANDS; value += 1)
      expect(await first.execute('tally', 'add', 'x')).toMatchObject({ kind: 'ok', value })
    await first.close()
    // A record follows what is applied by up to 50 ms, and only what is recorded is compared.
    const { appliedIndex } = await fetchStatus(cluster.endpoints[0] ?? '')
    const trail = join(cluster.dataDirectory(member.id), 'group-0', 'applied')
    await eventually('a record of all that was applied', async () => {
      const last = decodeTrail(await readFile(trail)).recorded.at(-1)
      return last !== undefined && last.index >= appliedIndex ? true : null
    })
    await cluster.kill(member.id)

    writeFileSync(join(project, 'machines.js'), tally(2))
    await cluster.startNode(member.id)
    const line = await said.until(member.id, '"event":"halted"')
    expect(line).toContain('REPLAY_DIVERGED')
    expect(line).toContain('the handlers of tally (version 1) changed without a new version')
    const { halted } = await fetchStatus(cluster.endpoints[0] ?? '')
    expect(halted).toMatchObject({ code: 'REPLAY_DIVERGED' })
    expect(halted?.message).toMatch(/at entry \d+ it differs, at entry \d+ it was still equal/)
    await expect(connect({ ...options, connectDeadlineMs: 1000 })).rejects.toMatchObject({ code: 'NO_LEADER' })
    await cluster.kill(member.id)

    writeFileSync(join(project, 'machines.js'), tally(1))
    await cluster.startNode(member.id)
    const again = await connect(options)
    expect(await again.execute('tally', 'add', 'x')).toMatchObject({ kind: 'ok', value: COMMANDS + 1 })
    expect((await fetchStatus(cluster.endpoints[0] ?? '')).halted).toBeNull()
    await again.close()
  },
  TIMEOUT_MS,
)
