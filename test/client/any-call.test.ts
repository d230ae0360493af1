import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import * as client from '../../src/client/index.ts'
import { type ClientSession, connect } from '../../src/client/index.ts'
import * as sdk from '../../src/index.ts'
import { counter } from '../../src/machines/counter.ts'
import { embeddedNode } from '../../src/testing/index.ts'
import { sample } from '../effort.ts'
import { anything, realise } from './anything.ts'

/** 2,000 calls of every public function, in groups that run at the same time. */
const GROUPS = 100
const GROUP = 20
/** Everything must settle by then: every deadline below is at most 50 ms, and a close takes 5 s at most. */
const SETTLE_MS = 15_000

type Machines = readonly [typeof counter]
type Arguments = readonly unknown[]
/** One function of the library. What has a promise never throws; the rest may, at once. */
interface Call {
  readonly name: string
  readonly promise: boolean
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
  return { name, promise: true, arguments: fc.tuple(...parameters), run: (given) => run(...(given as never[])) }
}
/** One that has no promise: it may throw at once. */
const plain = (...[name, parameters, run]: Parameters<typeof of>): Call => ({
  ...of(name, parameters, run),
  promise: false,
})

function throwaway(): Promise<ClientSession<Machines>> {
  return connect({ embedded: node.server, principal: 'user:2', machines: [counter] })
}

function hub(): client.MultiSession {
  const dial = client.inProcessDial(() => node.server)
  const made = new client.MultiSession({ environment: client.nodeEnvironment(dial), endpoints: ['n:1'] })
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

const CALLS: readonly Call[] = [
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
  plain('state', [], () => [session.id, session.token, session.suspended]),
  plain('MultiSession', [options({ environment: anything, endpoints: or(['n:1']), onLeader: callback })], (given) => {
    opened.push(new client.MultiSession(given))
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
  plain(
    'SessionCore',
    [several],
    (given: unknown[]) => new client.SessionCore(...(given as [never, never, never, never])),
  ),
  plain('ClientSession', [anything], (given) => new client.ClientSession(given)),
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

/** Functions of both entry points that have no row of their own, the codec's among them. */
const OTHERS = Object.entries({ ...sdk, ...client, ...sdk.sessionCodec }).filter(
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
  if (!call.promise) return null
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`${call.name} did not settle`), SETTLE_MS)
  })
  const settled = Promise.resolve(returned).then(
    () => null,
    () => null,
  )
  const first = await Promise.race([settled, late])
  clearTimeout(timer)
  return first
}

describe('2,000 calls of every public function with values that do not belong', () => {
  test('raise nothing unhandled, throw nothing late, and every promise settles', async () => {
    session = await throwaway()
    opened.push(session)
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
    expect(count).toBeGreaterThanOrEqual(2000)
    expect(await session.execute('counter', 'increment', { name: 'z' })).toMatchObject({ kind: 'ok' })
  })
})
