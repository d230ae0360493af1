import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { nodeId } from '../../../src/base/brand.ts'
import { freePorts } from '../../../src/cli/cluster/free-ports.ts'
import { NodeProcess } from '../../../src/cli/cluster/node-process.ts'
import { type ClientSession, connect } from '../../../src/client/index.ts'
import { compileOnce } from '../../cluster/processes.ts'
import { NO_SHIM, Shim } from './shim.ts'

if (NO_SHIM !== null) console.warn(`skipped: ${NO_SHIM}`)

const HOST = '127.0.0.1'
const EXIT_STORAGE_FAULT = 74

/** One node, alone, whose system calls a test counts and fails; a fault of its disk ends it (storage.md §5). */
describe.skipIf(NO_SHIM !== null)('a node process on a disk that fails', () => {
  let shim: Shim
  beforeAll(() => {
    compileOnce()
    shim = new Shim()
  }, 120_000)
  afterAll(() => shim?.remove())

  interface Served {
    readonly node: NodeProcess
    readonly session: ClientSession
    readonly lines: string[]
  }

  async function serve(name: string): Promise<Served> {
    shim.rule()
    const [port] = await freePorts(1, HOST)
    const address = `${HOST}:${port}`
    const lines: string[] = []
    const node = await NodeProcess.start({
      id: nodeId('n1'),
      address,
      members: `n1=${address}`,
      dataDirectory: join(shim.root, name),
      environment: shim.environment(),
      onLine: (line) => lines.push(line),
    })
    onTestFinished(() => node.kill())
    const session = await connect({
      endpoints: [address],
      principal: 'user:tester',
      connectDeadlineMs: 60_000,
      deadlineMs: 20_000,
      timeoutMs: 3_600_000,
    })
    onTestFinished(() => void session.detach())
    return { node, session, lines }
  }

  const write = (served: Served, value: string) => served.session.execute('register', 'write', { key: 'k', value })

  test('every acknowledged command has cost an fdatasync of the log', async () => {
    const served = await serve('counted')
    for (let round = 0; round < 5; round += 1) {
      const before = shim.count('fdatasync', 'counted/group-0/log/')
      expect(await write(served, `v${round}`)).toMatchObject({ kind: 'ok' })
      expect(shim.count('fdatasync', 'counted/group-0/log/')).toBeGreaterThan(before)
    }
  })

  test.each([
    ['fdatasync', 'EIO', '.wal', 'IO_ERROR', /fdatasync of group-0\/log\/\d+\.wal failed.*EIO/],
    ['write', 'ENOSPC', '.wal', 'DISK_FULL', /The disk is full: write of group-0\/log\/\d+\.wal failed.*ENOSPC/],
    ['fdatasync', 'EIO', 'marker', 'IO_ERROR', /fdatasync of group-0\/marker failed.*EIO/],
  ] as const)(
    'a failed %s (%s) of %s ends it with code 74 and its reason; what was acknowledged is there afterwards',
    async (operation, does, text, code, words) => {
      const name = `${operation}-${does}-${text.replace('.', '')}`
      const served = await serve(name)
      expect(await write(served, 'before')).toMatchObject({ kind: 'ok' })
      shim.rule({ operation, does, text: `${name}/group-0/${text === 'marker' ? text : 'log/'}` })
      const synced = shim.count('fdatasync', `${name}/group-0/log/`)
      const outcome = write(served, 'after')
      expect(await served.node.exited).toEqual({ code: EXIT_STORAGE_FAULT, signal: null })
      expect(served.lines.join('\n')).toContain(code)
      expect(served.lines.join('\n')).toMatch(words)
      served.session.detach()
      const { kind } = await outcome.catch(() => ({ kind: 'rejected' }))
      // The marker follows the log: the command itself was on disk. Nothing is tried again after a failed sync of the log.
      if (text === 'marker') return
      expect(kind).not.toBe('ok')
      const tried = shim.count('fdatasync', `${name}/group-0/log/`) - synced
      expect(tried).toBe(operation === 'fdatasync' ? 1 : 0)
      const again = await serve(name)
      expect(await again.session.execute('register', 'read', { key: 'k' })).toMatchObject({
        kind: 'ok',
        value: expect.stringMatching(operation === 'fdatasync' ? /^(before|after)$/ : /^before$/),
      })
    },
  )
})
