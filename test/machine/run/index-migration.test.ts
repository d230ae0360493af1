import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Entry } from '../../../src/codec/entry/entry.ts'
import { command, defineMachine, identityOf, mount, type Mountable, query, table } from '../../../src/machine/index.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import { codec, Log, swapped, value } from '../../session/log.ts'

const parcel = z.object({ to: z.string(), weight: z.number() })
const put = { input: z.object({ id: z.string(), row: parcel }), output: z.null() }
const listed = { input: z.null(), output: z.array(z.string()) }

/** Without an index. */
const one = defineMachine(
  'post',
  { version: 1, state: { parcels: table(z.string(), parcel) } },
  {
    commands: {
      put: command(put, (ctx, { id, row }) => {
        ctx.state.parcels.set(id, row)
        return null
      }),
    },
    queries: { list: query(listed, (view) => view.parcels.range({ limit: 100 }).map(([id]) => id)) },
  },
)

/** With two, of which one orders numbers, and with as many steps of its own as there are parcels. */
const two = (migrate?: (found: readonly string[]) => void) =>
  defineMachine(
    'post',
    { version: 2, state: { parcels: table(z.string(), parcel, { indexes: { byTo: ['to'], byWeight: ['weight'] } }) } },
    {
      commands: {
        put: command(put, (ctx, { id, row }) => {
          ctx.state.parcels.set(id, row)
          return null
        }),
      },
      queries: { list: query(listed, (view) => view.parcels.byTo.range({ limit: 100 }).map(([id]) => id)) },
      migrations: {
        2: function* (ctx) {
          migrate?.(ctx.state.parcels.byTo.range({ limit: 100 }).map(([id]) => id))
          for (const [id, row] of ctx.state.parcels.each()) {
            ctx.state.parcels.set(id, { ...row, to: row.to.toLowerCase() })
            yield
          }
        },
      },
    },
  )

/** The field `to` is a list from now on: one index is gone, another one has the name that it had. */
const three = defineMachine(
  'post',
  {
    version: 3,
    state: {
      parcels: table(z.string(), z.object({ to: z.array(z.string()), weight: z.int() }), {
        indexes: { byTo: ['weight'] },
      }),
    },
  },
  {
    commands: {},
    queries: { list: query(listed, (view) => view.parcels.byTo.range({ limit: 100 }).map(([id]) => id)) },
    migrations: {
      3: (ctx) => {
        for (const [id, row] of ctx.state.parcels.range({ limit: 100 }))
          ctx.state.parcels.set(id, { to: [String(row.to)], weight: Math.round(row.weight) })
      },
    },
  },
)

const advanceTo = (machine: Mountable) => ({
  machine: machine.name,
  to: machine.version ?? 1,
  schema: identityOf(machine).schema,
})

const list = (machine: SessionStateMachine): unknown =>
  machine.query({ machine: 'post', query: 'list', input: null, session: null })

function filled(machines: readonly Mountable[]): Log {
  const log = new Log(mount(machines, codec).userMachine)
  log.append('AdvanceVersion', { machines: [advanceTo(one)] })
  const session = log.open('client')
  const parcels = { a: ['Rome', 2.5], b: ['Bonn', 1], c: ['Rome', 0.5], d: ['Lima', -1.25] } as const
  for (const [at, [id, [to, weight]]] of Object.entries(parcels).entries())
    value(log.request(session, at + 1, 'put', { machine: 'post', input: { id, row: { to, weight } } }))
  return log
}

/** Rows of the machine's indexes, by where they lie. */
function entriesOf(log: Log): { readonly [index: string]: number } {
  const found: { [index: string]: number } = {}
  for (const [key, row] of swapped(log.machine)) {
    const [, index] = /^user\/post\/\.(.*?\/.*?)\//.exec(key) ?? []
    if (index !== undefined && row !== undefined) found[index] = (found[index] ?? 0) + 1
  }
  return found
}

describe('a version that declares an index on a table with rows', () => {
  test('builds it in its migration, whose own functions read it and keep it', () => {
    const seen: (readonly string[])[] = []
    const second = two((found) => seen.push(found))
    const log = filled([one, second])
    log.append('AdvanceVersion', { machines: [advanceTo(second)] })
    expect(log.reports).toEqual([])
    expect(seen).toEqual([['b', 'd', 'a', 'c']])
    expect(list(log.machine)).toEqual({ kind: 'value', value: ['b', 'd', 'a', 'c'] })
    expect(entriesOf(log)).toEqual({ 'parcels/to': 4, 'parcels/weight~': 4 })
    log.machine.checkInvariants()
    value(
      log.request(1 + 3, 5, 'put', { machine: 'post', version: 2, input: { id: 'b', row: { to: 'rome', weight: 1 } } }),
    )
    expect(list(log.machine)).toEqual({ kind: 'value', value: ['d', 'a', 'b', 'c'] })
  })

  test('does so a row a step, while queries go on without it', () => {
    const second = two()
    const log = filled([one, second])
    const last = log.entries.length
    log.append('AdvanceVersion', { machines: [advanceTo(second)] })
    const again = new SessionStateMachine(mount([one, second], codec).userMachine, codec)
    for (const entry of log.entries.slice(0, last)) again.apply(entry, 100)
    const before = list(again)
    const underway = again.begin(log.entries[last] as Entry, 100)
    if (!('step' in underway)) throw new Error('a migration is applied in steps')
    let steps = 0
    while (underway.step() === null) {
      steps += 1
      if (again.activeVersion('post') === 1) expect(list(again)).toEqual(before)
    }
    // Eight rows of indexes, and four rows of its own.
    expect(steps).toBeGreaterThanOrEqual(12)
    expect(again.stateHash()).toBe(log.machine.stateHash())
    expect(list(again)).toEqual(list(log.machine))
  })

  test('leaves nothing of it when the migration fails', () => {
    const second = two(() => {
      throw new Error('not so')
    })
    const log = filled([one, second])
    const hash = log.machine.stateHash()
    log.append('AdvanceVersion', { machines: [advanceTo(second)] })
    expect(log.machine.activeVersion('post')).toBe(1)
    expect(log.machine.stateHash()).not.toBe(hash)
    expect(entriesOf(log)).toEqual({})
  })

  test('removes the rows of those that it has not, whatever their names, and passes over versions', () => {
    for (const builds of [
      [one, two(), three],
      [one, three],
    ] as const) {
      const log = filled(builds)
      for (const build of builds.slice(1)) log.append('AdvanceVersion', { machines: [advanceTo(build)] })
      expect(log.reports).toEqual([])
      expect(entriesOf(log)).toEqual({ 'parcels/weight': 4 })
      expect(list(log.machine)).toEqual({ kind: 'value', value: ['d', 'b', 'c', 'a'] })
    }
  })

  test('keeps the rows of one that was there, though it has another name now', () => {
    const renamed = defineMachine(
      'post',
      { version: 3, state: { parcels: table(z.string(), parcel, { indexes: { to: ['to'], weights: ['weight'] } }) } },
      {
        commands: {},
        queries: { list: query(listed, (view) => view.parcels.to.range({ limit: 9 }).map(([id]) => id)) },
      },
    )
    const second = two()
    const log = filled([one, second, renamed])
    log.append('AdvanceVersion', { machines: [advanceTo(second)] })
    const before = list(log.machine)
    swapped(log.machine)
    log.append('AdvanceVersion', { machines: [advanceTo(renamed)] })
    expect(entriesOf(log)).toEqual({})
    expect(list(log.machine)).toEqual(before)
  })
})

test('a machine without an index has the rows and the hash that it had', () => {
  const log = filled([one])
  const keys = [...swapped(log.machine)].map(([key]) => key).filter((key) => key.startsWith('user/'))
  expect(keys).toEqual(['a', 'b', 'c', 'd'].map((id) => `user/post/parcels/${codec.keyPart(id)}`))
})
