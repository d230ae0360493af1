import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ClientSession, InvalidArgument, type TaskProblem, TaskAborted } from '../../../src/client/index.ts'
import { embeddedNode, testCluster, type TestCluster } from '../../../src/testing/index.ts'
import { mail, shop } from './shop.ts'

type Machines = readonly [typeof shop]
let cluster: TestCluster<Machines>

beforeEach(() => {
  cluster = testCluster([shop])
})
afterEach(() => cluster.close())

const shipper = (): Promise<ClientSession<Machines>> => cluster.session('worker:1', { roles: ['shipper'] })

async function ordered(session: ClientSession<Machines>, order: string): Promise<string> {
  const outcome = await session.machines.shop.order(order)
  if (outcome.kind !== 'ok') throw new Error(`not ordered: ${JSON.stringify(outcome)}`)
  return outcome.value
}

async function logOf(session: ClientSession<Machines>, order: string): Promise<readonly string[]> {
  const outcome = await session.queries.shop.log(order)
  return outcome.kind === 'ok' ? outcome.value : []
}

/** A handler that waits, and what lets it go on. */
function gate() {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** Collects problems as `kind code`. */
function problems() {
  const heard: TaskProblem[] = []
  return { heard, codes: () => heard.map(({ code }) => code), onProblem: (each: TaskProblem) => void heard.push(each) }
}

describe('a worker', () => {
  test('does the tasks that its role brings it, and the machine has the results', async () => {
    const session = await shipper()
    const seen: unknown[] = []
    const worker = session.worker({
      ship: async (payload, { taskId, kind, attempt }) => {
        seen.push({ payload, taskId, kind, attempt })
        return { parcel: `of ${payload.order}` }
      },
    })
    const taskId = await ordered(session, 'o-1')
    await cluster.advance('1s')
    expect(await logOf(session, 'o-1')).toEqual(['done of o-1 1'])
    expect(seen).toEqual([{ payload: { order: 'o-1' }, taskId, kind: 'ship', attempt: 1 }])
    expect(worker.running).toBe(0)
  })

  test('that throws fails the attempt with what it threw, and the next one follows until there is none', async () => {
    const session = await shipper()
    const { heard, onProblem } = problems()
    session.worker({ ship: () => Promise.reject(new Error('no van')) }, { onProblem })
    await ordered(session, 'o-1')
    await cluster.advance('1s')
    expect(await logOf(session, 'o-1')).toEqual(['failed Error: no van'])
    expect(heard.map(({ code, attempt }) => `${code} ${attempt}`)).toEqual(['HANDLER_FAILED 1', 'HANDLER_FAILED 2'])
  })

  test('has at most as many attempts running as it was given, and begins the rest in order', async () => {
    const session = await shipper()
    const { opened, open } = gate()
    const began: string[] = []
    const worker = session.worker(
      {
        ship: async ({ order }) => {
          began.push(order)
          await opened
          return { parcel: 'p' }
        },
      },
      { concurrency: 2 },
    )
    for (const order of ['o-1', 'o-2', 'o-3', 'o-4']) await ordered(session, order)
    await cluster.advance('1s')
    expect(began).toEqual(['o-1', 'o-2'])
    expect([worker.running, worker.waiting]).toEqual([2, 2])
    open()
    await cluster.advance('1s')
    expect(began).toEqual(['o-1', 'o-2', 'o-3', 'o-4'])
    expect(await logOf(session, 'o-4')).toEqual(['done p 1'])
  })

  test('hears that its lease is over, and its late result is stale once another attempt was taken', async () => {
    const session = await shipper()
    const { opened, open } = gate()
    const { codes, onProblem } = problems()
    const reasons: unknown[] = []
    session.worker(
      {
        ship: async (_payload, { attempt, signal }) => {
          if (attempt === 1) {
            signal.addEventListener('abort', () => reasons.push(signal.reason))
            await opened
          }
          return { parcel: `attempt ${attempt}` }
        },
      },
      { onProblem },
    )
    await ordered(session, 'o-1')
    await cluster.advance('11s')
    expect(reasons).toEqual([expect.objectContaining({ name: 'TaskAborted', code: 'LEASE_EXPIRED' })])
    expect(reasons[0]).toBeInstanceOf(TaskAborted)
    expect(await logOf(session, 'o-1')).toEqual(['done attempt 2 2'])
    open()
    await cluster.advance('1s')
    expect(await logOf(session, 'o-1')).toEqual(['done attempt 2 2'])
    expect(codes()).toEqual(['LEASE_EXPIRED', 'STALE_TASK'])
  })

  test('whose result does not fit has failed the attempt', async () => {
    const session = await shipper()
    const { heard, onProblem } = problems()
    session.worker({ ship: () => ({ parcel: 7 }) as unknown as { parcel: string } }, { onProblem })
    await ordered(session, 'o-1')
    await cluster.advance('1s')
    expect(await logOf(session, 'o-1')).toEqual(['failed INVALID_RESULT'])
    expect(heard[0]).toMatchObject({ code: 'VALIDATION_ERROR', kind: 'ship', attempt: 1 })
  })

  test('whose result is no plain data has failed the attempt, without waiting for the lease', async () => {
    const session = await shipper()
    const { codes, onProblem } = problems()
    session.worker({ ship: () => ({ parcel: () => 1 }) as unknown as { parcel: string } }, { onProblem })
    await ordered(session, 'o-1')
    await cluster.advance('1s')
    expect(await logOf(session, 'o-1')).toEqual(['failed VALIDATION_ERROR'])
    expect(codes()).toEqual(['VALIDATION_ERROR', 'VALIDATION_ERROR'])
  })

  test('that did a task which was cancelled meanwhile hears that it is stale', async () => {
    const session = await shipper()
    const { opened, open } = gate()
    const { codes, onProblem } = problems()
    session.worker({ ship: () => opened.then(() => ({ parcel: 'p' })) }, { onProblem })
    const taskId = await ordered(session, 'o-1')
    expect(await session.machines.shop.cancel(taskId)).toMatchObject({ kind: 'ok', value: true })
    open()
    await cluster.advance('1s')
    expect(codes()).toEqual(['STALE_TASK'])
  })

  test('in a session that was taken up, whose roles it does not know, gives back what it has no handler for', async () => {
    const first = await cluster.session('worker:1', { roles: ['shipper', 'biller'] })
    const token = first.detach()
    const session = await cluster.session('worker:1', token === null ? {} : { resume: token })
    const { heard, onProblem } = problems()
    session.worker({ ship: () => ({ parcel: 'p' }) }, { onProblem })
    await session.machines.shop.bill('o-1')
    await cluster.advance('1s')
    expect(heard).toMatchObject([{ code: 'UNHANDLED_TASK', kind: 'bill' }])
  })

  test('is aborted when its session ends, and another worker gets the next attempt', async () => {
    const first = await shipper()
    const { codes, onProblem } = problems()
    let aborted = ''
    const began = gate()
    first.worker(
      {
        ship: (_payload, { signal }) => {
          began.open()
          return new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              aborted = signal.reason.code
              reject(signal.reason)
            })
          })
        },
      },
      { onProblem },
    )
    await ordered(first, 'o-1')
    await cluster.until(began.opened)
    const second = await shipper()
    second.worker({ ship: (_payload, { attempt }) => ({ parcel: `second ${attempt}` }) })
    await first.close()
    expect(aborted).toBe('WORKER_LOST')
    await cluster.advance('1s')
    expect(await logOf(second, 'o-1')).toEqual(['done second 2 2'])
    expect(codes()).toEqual([])
  })

  test('tells its result to the next leader when this one is killed', async () => {
    await cluster.close()
    cluster = testCluster([shop], { nodes: 3 })
    const session = await shipper()
    const { opened, open } = gate()
    const began = gate()
    session.worker({
      ship: async () => {
        began.open()
        await opened
        return { parcel: 'p' }
      },
    })
    await ordered(session, 'o-1')
    await cluster.until(began.opened)
    cluster.killLeader()
    open()
    await cluster.advance('5s')
    expect(await logOf(session, 'o-1')).toEqual(['done p 1'])
  })
})

describe('a worker that is stopped', () => {
  test('gives back what waits, and waits for what runs', async () => {
    const session = await shipper()
    const { opened, open } = gate()
    const began = gate()
    const { codes, onProblem } = problems()
    const worker = session.worker(
      {
        ship: async () => {
          began.open()
          await opened
          return { parcel: 'p' }
        },
      },
      { concurrency: 1, onProblem },
    )
    await ordered(session, 'o-1')
    await ordered(session, 'o-2')
    await cluster.until(began.opened)
    const stopped = worker.stop()
    expect(worker.stop()).not.toBe(undefined)
    await cluster.advance('1s')
    expect(worker.running).toBe(1)
    open()
    expect(await cluster.until(stopped)).toBe(true)
    expect(await logOf(session, 'o-1')).toEqual(['done p 1'])
    // Given back to the only worker there is, which gives it back again.
    expect(codes()).toEqual(['WORKER_STOPPED', 'WORKER_STOPPED'])
    expect(await logOf(session, 'o-2')).toEqual(['failed WORKER_STOPPED'])
  })

  test('aborts and gives back what still runs at its deadline', async () => {
    const session = await shipper()
    let signalled = false
    const began = gate()
    const worker = session.worker(
      {
        ship: (_payload, { signal }) => {
          began.open()
          return new Promise(() => signal.addEventListener('abort', () => void (signalled = true)))
        },
      },
      { onProblem: () => undefined },
    )
    await ordered(session, 'o-1')
    await cluster.until(began.opened)
    expect(await cluster.until(worker.stop({ deadlineMs: 1_000 }))).toBe(false)
    expect(signalled).toBe(true)
    expect(await logOf(session, 'o-1')).toEqual(['failed WORKER_STOPPED'])
    await expect(worker.stop({ deadlineMs: -1 })).rejects.toThrow(InvalidArgument)
  })
})

describe('handlers that cannot work are refused with the field', () => {
  const ship = () => ({ parcel: 'p' })
  const refusal = (session: ClientSession<Machines>, handlers: object, options?: object): string => {
    try {
      session.worker(handlers, options)
      return ''
    } catch (error) {
      return error instanceof InvalidArgument ? error.message : 'another error'
    }
  }

  test('a kind that no machine declares, no handler, none at all', async () => {
    const session = await shipper()
    expect(refusal(session, { shipp: ship })).toBe(
      'handlers.shipp is no kind of task of the machines that connect was given; they have: ship, bill',
    )
    expect(refusal(session, { ship: 1 })).toBe('handlers.ship must be a function, not 1')
    expect(refusal(session, {})).toBe('handlers must have a handler, not an object')
    expect(refusal(session, { ship }, { concurrency: 0 })).toContain('options.concurrency must be')
  })

  test('a role that the session lacks, and a kind of its roles without a handler', async () => {
    const session = await shipper()
    expect(refusal(session, { bill: () => null })).toBe(
      "handlers.bill needs the role biller: connect with roles: ['biller']",
    )
    const both = await cluster.session('worker:2', { roles: ['shipper', 'biller'] })
    expect(refusal(both, { ship })).toBe('handlers lacks shop.bill: a session with the role biller is given such tasks')
    expect(refusal(both, { ship, bill: () => null })).toBe('')
    expect(refusal(both, { ship, bill: () => null })).toContain('this session has a worker')
  })

  test('a kind that two machines have is named with its machine', async () => {
    const world = testCluster([shop, mail])
    const session = await world.session('worker:1', { roles: ['shipper'] })
    const given = (handlers: object): unknown => {
      try {
        session.worker(handlers as Parameters<typeof session.worker>[0])
        return null
      } catch (error) {
        return error instanceof InvalidArgument ? error.message : error
      }
    }
    expect(given({ ship })).toBe('handlers.ship is a kind of several machines: name it shop.ship or mail.ship')
    expect(given({ 'shop.ship': ship })).toBe(null)
    await world.close()
  })
})

describe('a worker on a real node', () => {
  test('does tasks over a restart of the node, and a handed-over session leaves them to their lease', async () => {
    const node = await embeddedNode({ machines: [shop] })
    const session = await node.session('worker:1', { roles: ['shipper'] })
    const began = gate()
    const { opened, open } = gate()
    session.worker({
      ship: async () => {
        began.open()
        await opened
        return { parcel: 'p' }
      },
    })
    await ordered(session, 'o-1')
    await began.opened
    await node.restart()
    open()
    const taken = async (): Promise<readonly string[]> => {
      for (;;) {
        const log = await logOf(session, 'o-1')
        if (log.length > 0) return log
      }
    }
    expect(await taken()).toEqual(['done p 1'])
    await session.close()
    await node.close()
  })
})
