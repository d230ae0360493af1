import fc from 'fast-check'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isPromise } from 'node:util/types'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import * as client from '../../src/client/index.ts'
import { connect } from '../../src/client/index.ts'
import { ClientSession } from '../../src/client/session/client-session.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { SessionCore } from '../../src/client/session/session-core.ts'
import * as host from '../../src/host/index.ts'
import * as sdk from '../../src/index.ts'
import * as machines from '../../src/machines/index.ts'
import { counter } from '../../src/machines/counter.ts'
import * as testing from '../../src/testing/index.ts'
import { TestCluster } from '../../src/testing/cluster/test-cluster.ts'
import { embeddedNode } from '../../src/testing/index.ts'
import { sample } from '../effort.ts'
import { anything, realise } from './anything.ts'
import { CLUSTER_FIELDS, embeddedFields, HARNESS_FIELDS, nodeFields, unusable } from './unusable.ts'

/** 2,000 calls of every public function, in groups that run at the same time. */
const GROUPS = 100
const GROUP = 20
/** Everything must settle by then: every deadline below is at most 50 ms, and a close takes 5 s at most. */
const SETTLE_MS = 15_000

type Machines = readonly [typeof counter]
type Arguments = readonly unknown[]
/** One function of the library. What has a promise never throws; the rest may, at once, and what they return settles too. */
interface Call {
  readonly name: string
  readonly promise: boolean
  /** What every call of it is refused with; null: a call may succeed, and it may be refused with anything. */
  readonly refusal: (new (...given: never[]) => Error) | null
  readonly arguments: fc.Arbitrary<Arguments>
  run(given: Arguments): unknown
}

let node: Awaited<ReturnType<typeof embeddedNode<Machines>>>
let session: ClientSession<Machines>
const opened: { close(): unknown }[] = []
const escaped: unknown[] = []
const noteEscaped = (error: unknown): void => void escaped.push(error)

beforeAll(async () => {
  node = await embeddedNode({ machines: [counter] })
  process.on('unhandledRejection', noteEscaped)
  process.on('uncaughtException', noteEscaped)
})
beforeEach(() => {
  // Thousands of callbacks that throw: what is said of them has tests of its own.
  vi.spyOn(process, 'emitWarning').mockReturnValue(undefined)
})
afterAll(async () => {
  process.off('unhandledRejection', noteEscaped)
  process.off('uncaughtException', noteEscaped)
  await Promise.all(opened.map((each) => each.close()))
  await node.close()
})

/** Mostly what belongs there, or anything. */
const or = (...values: unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: fc.constantFrom(...values), weight: 3 }, { arbitrary: anything, weight: 1 })
/** As `or`, but nothing that would be a longer wait than this test allows. */
const shortly = fc.oneof(fc.constantFrom<unknown>(0, 5, 50, undefined), anything.filter(isNoWait))
function isNoWait(value: unknown): boolean {
  return !(typeof value === 'number' && value > 50 && value < 2 ** 31)
}
/** An object with some of these properties, each what belongs there or anything; sometimes no such object. */
const options = (properties: { [name: string]: fc.Arbitrary<unknown> }): fc.Arbitrary<unknown> =>
  fc.oneof(
    { arbitrary: fc.record(properties, { requiredKeys: [] }), weight: 5 },
    { arbitrary: anything, weight: 1 },
    { arbitrary: fc.constant(undefined), weight: 1 },
  )
const machine = or('counter')
const name = or('increment', 'value', 'no-such')
const input = or({ name: 'a', by: 1 }, 'a', null)
const callOptions = options({ deadlineMs: shortly, signal: or(AbortSignal.timeout(60_000)), consistency: or('stale') })
const callback = or(() => {})
const several = fc.array(anything, { maxLength: 4 })
const TOKEN = { group: 0, incarnation: 1, index: 3, secret: '00'.repeat(32), epoch: 0 }
const settings = {
  principal: or('user:1'),
  roles: or(['a'], []),
  capabilities: or({}, { a: 1 }),
  name: or('x'),
  timeoutMs: or(5000),
  ordered: or(true, false),
}
const callbacks = ['onSessionLost', 'onSuspended', 'onResumed', 'onHandlerError', 'onUnhandledRequest']
const connectOptions = fc
  .record(
    {
      ...settings,
      resume: or(TOKEN, undefined),
      deadlineMs: shortly,
      machines: or([counter]),
      ...Object.fromEntries(callbacks.map((each) => [each, callback])),
    },
    { requiredKeys: ['principal'] },
  )
  .chain((given) =>
    fc
      .record({
        connectDeadlineMs: shortly,
        place: fc.constantFrom('node', 'nobody', 'neither', 'junk'),
        junk: anything,
      })
      .map(({ connectDeadlineMs, place, junk }) => ({
        ...given,
        connectDeadlineMs: connectDeadlineMs ?? 50,
        ...(place === 'node' ? { embedded: node.server } : {}),
        ...(place === 'nobody' ? { endpoints: ['127.0.0.1:1'] } : {}),
        ...(place === 'junk' ? { embedded: { accept: junk } } : {}),
      })),
  )

function of(name: string, parameters: fc.Arbitrary<unknown>[], run: (...given: never[]) => unknown): Call {
  return {
    name,
    promise: true,
    refusal: null,
    arguments: fc.tuple(...parameters),
    run: (given) => run(...(given as never[])),
  }
}
/** One that has no promise: it may throw at once. */
const plain = (...[name, parameters, run]: Parameters<typeof of>): Call => ({
  ...of(name, parameters, run),
  promise: false,
})
/** One that refuses everything that is drawn, with an error of that class. */
const refused = (refusal: Call['refusal'], ...[name, parameters, run]: Parameters<typeof of>): Call => ({
  ...of(name, parameters, run),
  refusal,
})

function throwaway(): Promise<ClientSession<Machines>> {
  return connect({ embedded: node.server, principal: 'user:2', machines: [counter] })
}

function hub(): MultiSession {
  const dial = client.inProcessDial(() => node.server)
  const made = new MultiSession({ environment: client.nodeEnvironment(dial), endpoints: ['n:1'] })
  opened.push(made)
  return made
}

const nothing = (): void => {}
const events = { onReady: nothing, onRefused: nothing, onSuspended: nothing, onResumed: nothing, onLost: nothing }
const listener = {
  ...events,
  onHandlerError: nothing,
  onServerRequest: (_: unknown, done: (error: unknown) => void) => done(null),
}
const BYTES = client.encodeValue('a')

/** Where no node may ever be. */
const NOWHERE = join(process.cwd(), 'no-directory-of-a-node')
const task = fc.oneof(fc.constantFrom<unknown>(nothing, '«thrower»', undefined), anything)

/** What starts something: never from what is drawn here. */
const STARTING: readonly Call[] = [
  refused(host.StartError, 'startNode', [unusable(nodeFields(NOWHERE, [counter]))], (given) => host.startNode(given)),
  refused(host.StartError, 'startEmbedded', [unusable(embeddedFields(NOWHERE, [counter]))], (given) =>
    host.startEmbedded(given),
  ),
  refused(
    client.InvalidArgument,
    'embeddedNode',
    [
      unusable({
        machines: {
          good: [[counter]],
          bad: [undefined, null, [], {}, [7], '«hostile»', ['«hostile»']],
        },
        directory: { good: [undefined], bad: [7, '', 'a\0b', null, {}, '«hostile»', '«revoked»', Buffer.from('b')] },
        snapshotBytes: { good: [undefined], bad: [-1, 'x', Number.NaN, '«hostile»'] },
        development: { good: [undefined, false], bad: [0, 'yes', null, '«hostile»'] },
      }),
    ],
    (given) => testing.embeddedNode(given),
  ),
  of('testCluster', [or([counter]), unusable(CLUSTER_FIELDS)], async (given, how) => {
    opened.push(testing.testCluster(given, how))
  }),
  plain('TestCluster', [anything, unusable(CLUSTER_FIELDS)], (given, how) => new TestCluster(given, how)),
  plain('machineHarness', [or(counter, [counter]), unusable(HARNESS_FIELDS)], (given, how) => {
    const harness = testing.machineHarness<Machines>(given, how)
    harness.session('user:1').machines.counter.increment(given)
  }),
]

const CALLS: readonly Call[] = [
  ...STARTING,
  of(
    'connect',
    [fc.oneof({ arbitrary: connectOptions, weight: 6 }, { arbitrary: anything, weight: 1 })],
    async (given) => {
      const made = await client.connect(given)
      opened.push(made)
    },
  ),
  of('execute', [machine, name, input, callOptions], (...given) =>
    session.execute(...(given as [never, never, never])),
  ),
  of('query', [machine, name, input, callOptions], (...given) => session.query(...(given as [never, never, never]))),
  of('typed execute', [input, callOptions], (given, how) => session.machines.counter.increment(given, how)),
  of('typed query', [input, callOptions], (given, how) => session.queries.counter.value(given, how)),
  of('resolve', [or(1, 2), callOptions], (id, how) => session.resolve(id, how)),
  plain('abandon', [or(1, 2)], (id) => session.abandon(id)),
  plain('on', [or('*', 'note'), callback], (type, handler) => session.on(type, handler)),
  of('serverRequests', [anything, fc.boolean()], async (value, thrown) => {
    const iterator = session.serverRequests()
    const waiting = [iterator.next(value), iterator.next()]
    const end = thrown ? iterator.throw(value) : iterator.return(value)
    await end.then(nothing, nothing)
    await Promise.all(waiting)
  }),
  of('close', [callOptions, fc.boolean()], async (how, detached) => {
    const made = await throwaway()
    const late = [made.close(how), made.execute('counter', 'increment', how), made.query('counter', 'value', how)]
    if (detached) made.detach()
    await Promise.allSettled([...late, made.close(), made.serverRequests().next()])
  }),
  of(
    'worker',
    [options({ ship: task, 'a.ship': task }), options({ concurrency: or(1), leaseMs: or(5), onProblem: callback })],
    async (handlers, how) => {
      const made = await throwaway()
      opened.push(made)
      const worker = made.worker(handlers, how)
      await worker.stop(how).then(nothing, nothing)
      await worker.stop({ deadlineMs: 50 })
    },
  ),
  plain('state', [], () => [session.id, session.token, session.suspended, session.state]),
  plain('MultiSession', [options({ environment: anything, endpoints: or(['n:1']), onLeader: callback })], (given) => {
    opened.push(new MultiSession(given))
  }),
  plain('openSession', [fc.record({ ...settings, resume: or(null, TOKEN) }), or(listener)], (given, heard) => {
    hub().openSession(given, heard)
  }),
  of('enqueue', [options({ machine, command: name, input: or(BYTES) }), or(0), callback], (call, at, done) =>
    calledBack(done, (told) => hub().openSession(SETTINGS, listener).enqueue(call, at, told)),
  ),
  of('hub query', [options({ ...QUERY(), machine, query: name, input: or(BYTES) }), shortly, callback], (...given) =>
    calledBack(given[2], (told) => hub().query(given[0] as never, given[1] as never, told)),
  ),
  of('closeSession', [callback], (done) =>
    calledBack(done, (told) => hub().openSession(SETTINGS, listener).closeSession(told)),
  ),
  plain('SessionCore', [several], (given: unknown[]) => new SessionCore(...(given as [never, never, never, never]))),
  plain('ClientSession', [anything], (given) => new ClientSession(given)),
  plain('dialGrpc', [or('127.0.0.1:1'), options({ onFrame: callback, onClosed: callback })], (endpoint, heard) => {
    // What the listener throws is the listener's: this one is quiet where it is a function at all.
    const quiet = quietly(heard)
    client.dialGrpc(endpoint, quiet).close()
  }),
  plain('inProcessDial', [anything, anything], (find, endpoint) =>
    client.inProcessDial(find)(endpoint, listener as never),
  ),
  of('fetchStatus', [or('127.0.0.1:1'), shortly], (endpoint, deadlineMs) =>
    client.fetchStatus(endpoint, deadlineMs ?? 50),
  ),
  plain('nodeEnvironment', [anything], (dial) => client.nodeEnvironment(dial)),
  plain('processClock', [shortly], (delay) => client.processClock.setTimer(delay, nothing)),
  plain('every other export', [fc.nat(), several], (at: number, given: unknown[]) => {
    const [, found] = OTHERS[at % OTHERS.length] as [string, (...values: unknown[]) => unknown]
    return /^class\b/.test(Function.prototype.toString.call(found)) ? Reflect.construct(found, given) : found(...given)
  }),
]

const SETTINGS = {
  principal: 'user:3',
  roles: [],
  capabilities: {},
  name: '',
  timeoutMs: 5000,
  ordered: false,
  resume: null,
}

function QUERY() {
  return { consistency: or('stale', 'sequential'), incarnation: or(0), minIndex: or(0), channel: or(undefined) }
}

/** Functions of all entry points that have no row of their own, the codec's among them. */
const OTHERS = Object.entries({ ...machines, ...testing, ...host, ...sdk, ...client, ...sdk.sessionCodec }).filter(
  ([name, value]) => typeof value === 'function' && !CALLS.some((call) => call.name === name),
)

/** Settles when the callback is called, or at once where it is none; what it does itself happens too. */
function calledBack(done: unknown, call: (told: never) => unknown): Promise<void> {
  if (typeof done !== 'function') return Promise.resolve().then(() => void call(done as never))
  return new Promise((resolve) => {
    const told = (...values: unknown[]): unknown => {
      resolve()
      return (done as (...values: unknown[]) => unknown)(...values)
    }
    call(told as never)
  })
}

function quietly(heard: unknown): never {
  try {
    const { onFrame, onClosed } = heard as { onFrame: unknown; onClosed: unknown }
    const both = typeof onFrame === 'function' && typeof onClosed === 'function'
    return (both ? { onFrame: nothing, onClosed: nothing } : heard) as never
  } catch {
    return heard as never
  }
}

function callOf(name: string): Call {
  return CALLS.find((each) => each.name === name) as Call
}

/** What went wrong with one call; null where it settled as it should. */
async function fault(call: Call, given: Arguments): Promise<string | null> {
  let returned: unknown
  try {
    returned = call.run(realise(given) as Arguments)
  } catch {
    // Refused at once.
    return call.promise ? `${call.name} threw instead of rejecting` : null
  }
  if (!call.promise && !isPromise(returned)) return null
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`${call.name} did not settle`), SETTLE_MS)
  })
  const settled = Promise.resolve(returned).then(
    () => (call.refusal === null ? null : `${call.name} took what it should refuse`),
    (error) =>
      call.refusal === null || isA(call.refusal, error) ? null : `${call.name} is refused with another error`,
  )
  const first = await Promise.race([settled, late])
  clearTimeout(timer)
  return first
}

function isA(refusal: NonNullable<Call['refusal']>, error: unknown): boolean {
  try {
    return error instanceof refusal
  } catch {
    return false
  }
}

/** Sockets of this process that listen. */
function listening(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'TCPServerWrap').length
}

describe('2,000 calls of every public function with values that do not belong', () => {
  test('raise nothing unhandled, throw nothing late, and every promise settles', async () => {
    session = await throwaway()
    opened.push(session)
    const before = listening()
    const call = fc.constantFrom(...CALLS.keys()).chain((at) => {
      const { name, arguments: drawn } = CALLS[at] as Call
      return drawn.map((given) => ({ name, given }))
    })
    const groups = fc.array(call, { minLength: GROUP, maxLength: GROUP })
    let count = 0
    await fc.assert(
      fc.asyncProperty(groups, async (group) => {
        const faults = await Promise.all(group.map(({ name, given }) => fault(callOf(name), given)))
        count += group.length
        // What a call left behind, sessions and nodes without a listener, ends here.
        await Promise.all(opened.splice(1).map((each) => each.close()))
        await new Promise((resolve) => setImmediate(resolve))
        expect([faults.filter((each) => each !== null), escaped.splice(0)]).toEqual([[], []])
      }),
      { numRuns: sample(GROUPS), endOnFailure: true },
    )
    expect([existsSync(NOWHERE), listening()]).toEqual([false, before])
    expect(count).toBeGreaterThanOrEqual(2000)
    expect(await session.execute('counter', 'increment', { name: 'z' })).toMatchObject({ kind: 'ok' })
  })
})
