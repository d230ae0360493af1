import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { compileOnce } from '../cluster/processes.ts'
import { ROOT } from '../tidy/tree.ts'

beforeAll(compileOnce)

/** A process that does not end by itself is ended then. */
const PROCESS_MS_MAX = 20_000

/** Runs a program against an embedded node with `counter`, whose `session` has a handler that always fails. */
function run(program: string) {
  const built = (file: string): string => JSON.stringify(pathToFileURL(join(ROOT, 'dist/src', file)).href)
  const source = `
    import { embeddedNode } from ${built('testing/index.js')}
    import { counter } from ${built('machines/index.js')}
    const node = await embeddedNode({ machines: [counter] })
    const session = await node.session('user:1', { timeoutMs: 3000, deadlineMs: 1000 })
    session.on('*', () => { throw new Error('never handled') })
    await session.machines.counter.increment({ name: 'x' })
    ${program}`
  const { status, signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    encoding: 'utf8',
    timeout: PROCESS_MS_MAX,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return { status, signal, stdout }
}

test('an open session does not keep a process alive after its node was closed', () => {
  expect(run(`await node.close(); console.log('closed')`)).toEqual({ status: 0, signal: null, stdout: 'closed\n' })
})

test('a command that waits does so until its deadline, although the node was closed', () => {
  const program = `
    await node.close()
    console.log((await session.machines.counter.increment({ name: 'x' })).kind)`
  expect(run(program)).toEqual({ status: 0, signal: null, stdout: 'notExecuted\n' })
})
