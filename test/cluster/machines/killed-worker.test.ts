import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../../src/client/index.ts'
import type { SessionToken } from '../../../src/client/index.ts'
import { eventually } from '../../../bench/agreement.ts'
import { userProject } from '../../host/user-project.ts'
import { compileOnce, realCluster } from '../processes.ts'

beforeAll(compileOnce)

/**
 * `ship` can be done by either worker; `pack`, whose lease outlives the test, by the first alone. Both are queued by one entry,
 * so that the first worker, whose session is the older one, gets both, and the other has fewer whenever the short lease ends.
 */
const PARCELS = `
import { command, defineMachine, query, table, task } from 'holdfast'
import { z } from 'zod'

const kind = { maxAttempts: 1_000, backoffMs: [], payload: z.string(), result: z.string() }
const ignored = { onResult: () => null, onFailed: () => undefined }

export const parcels = defineMachine(
  'parcels',
  {
    version: 1,
    state: { log: table(z.string(), z.array(z.string())) },
    tasks: {
      ship: task({ ...kind, role: 'shipper', leaseMs: 3_000 }),
      pack: task({ ...kind, role: 'packer', leaseMs: 3_600_000 }),
    },
  },
  {
    commands: {
      order: command({ input: z.string(), output: z.array(z.string()) }, (ctx, id) => [
        ctx.task('ship', id, id),
        ctx.task('pack', id, id),
      ]),
    },
    queries: { log: query({ input: z.string(), output: z.array(z.string()) }, (view, id) => view.log.get(id) ?? []) },
    tasks: {
      ship: {
        onResult: (ctx, { payload }, result) => {
          ctx.state.log.set(payload, [...(ctx.state.log.get(payload) ?? []), 'shipped ' + result])
          return null
        },
        onFailed: (ctx, { payload }, reason) => ctx.state.log.set(payload, ['failed: ' + reason]),
      },
      pack: ignored,
    },
  },
)
`

/** Says what it takes; finishes nothing where its name is \`stuck\`. */
const WORKER = `
import { connect } from 'holdfast'
import { parcels } from './machines.js'

const [name, endpoints, ...roles] = process.argv.slice(2)
const say = (line) => process.stdout.write(JSON.stringify(line) + '\\n')
const session = await connect({
  endpoints: endpoints.split(','),
  principal: 'service:' + name,
  roles,
  machines: [parcels],
  timeoutMs: 120_000,
  connectDeadlineMs: 60_000,
})
const take = async (payload, { taskId, kind, attempt }) => {
  say({ taskId, kind, attempt })
  if (name === 'stuck') await new Promise(() => undefined)
  return 'by ' + name
}
session.worker(roles.includes('packer') ? { ship: take, pack: take } : { ship: take })
say({ token: session.token })
`

interface Line {
  readonly token?: SessionToken
  readonly taskId?: string
  readonly kind?: string
  readonly attempt?: number
}

/** A worker's process, and what it says; killed with the test. */
class WorkerProcess {
  private readonly child: ChildProcess
  private readonly lines: AsyncIterator<string>
  private readonly exited: Promise<void>

  constructor(directory: string, words: readonly string[]) {
    this.child = spawn(process.execPath, ['worker.mjs', ...words], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.exited = new Promise((resolve) => this.child.once('exit', () => resolve()))
    const { stdout } = this.child
    if (stdout === null) throw new Error('stdout is a pipe')
    this.lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
    onTestFinished(() => void this.child.kill('SIGKILL'))
  }

  /** The next line that it says. */
  async next(): Promise<Line> {
    const { value, done } = await this.lines.next()
    if (done === true) throw new Error('the worker has ended')
    return JSON.parse(value)
  }

  async kill9(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }
}

test('a worker that is killed in the middle of a task costs one attempt, and its late result changes nothing', async () => {
  const directory = userProject({ 'machines.js': PARCELS, 'worker.mjs': WORKER })
  const cluster = await realCluster({ machines: join(directory, 'machines.js') })
  const { endpoints } = cluster
  const deadlines = { deadlineMs: 60_000, connectDeadlineMs: 60_000 }
  const clerk = await connect({ endpoints, principal: 'user:clerk', ...deadlines })
  onTestFinished(() => void clerk.close())
  const stuck = new WorkerProcess(directory, ['stuck', endpoints.join(','), 'shipper', 'packer'])
  const { token } = await stuck.next()
  if (token === undefined) throw new Error('the worker says its token first')
  const heir = new WorkerProcess(directory, ['heir', endpoints.join(','), 'shipper'])
  expect(await heir.next()).toHaveProperty('token')
  const ordered = await clerk.execute('parcels', 'order', 'p')
  const [taskId, pack] = ordered.kind === 'ok' && Array.isArray(ordered.value) ? ordered.value : []
  expect(await stuck.next()).toEqual({ taskId, kind: 'ship', attempt: 1 })
  expect(await stuck.next()).toEqual({ taskId: pack, kind: 'pack', attempt: 1 })
  await stuck.kill9()

  expect(await heir.next()).toEqual({ taskId, kind: 'ship', attempt: 2 })
  const log = await eventually('a result', async () => {
    const outcome = await clerk.query('parcels', 'log', 'p')
    return outcome.kind === 'ok' && Array.isArray(outcome.value) && outcome.value.length > 0 ? outcome.value : null
  })
  expect(log).toEqual(['shipped by heir'])

  // What the dead process would have said, from its own session, which the cluster still has.
  const late = await connect({ endpoints, principal: 'service:stuck', resume: token, ...deadlines })
  late.on('*', () => undefined)
  onTestFinished(() => void late.close())
  const tell = (command: string, answer: { readonly [name: string]: string }) =>
    late.execute('task', command, { taskId: String(taskId), attempt: 1, ...answer })
  const refused = { kind: 'rejected', code: 'STALE_TASK', details: { status: 'DONE' } }
  expect(await tell('complete', { result: 'by stuck' })).toMatchObject(refused)
  expect(await tell('fail', { reason: 'killed' })).toMatchObject(refused)
  expect(await clerk.query('parcels', 'log', 'p')).toMatchObject({ kind: 'ok', value: ['shipped by heir'] })
})
