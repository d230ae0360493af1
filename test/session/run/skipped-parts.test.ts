import { describe, expect, test } from 'vitest'
import type { Entry } from '../../../src/codec/entry/entry.ts'
import { encodePayload } from '../../../src/codec/entry/payload-codec.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import { type SkippedParts, TOLD_KEPT } from '../../../src/session/skipped-parts.ts'
import type { MachineContext } from '../../../src/session/user-machine.ts'
import { bareMachine, counterHandlers, reject } from '../bare-machine.ts'
import { codec, Log, RECORD_BYTES, swapped } from '../log.ts'

const overflow = (): never => overflow()

/** `deep` and the timer `deep` overflow, on a machine whose stack is small. */
const machine = (small: boolean) =>
  bareMachine(
    {
      ...counterHandlers,
      deep: () => (small ? overflow() : 'passed'),
      arm: (context) => {
        for (const name of ['a', 'deep', 'z']) context.schedule('test', name, context.now + 1000, null)
        return null
      },
    },
    {
      onTimer: (context, { name }) => {
        context.state.set(`fired/${name}`, context.now)
        if (name === 'deep' && small) overflow()
      },
      query: ({ state }) => ({
        kind: 'value',
        value: state.range({ from: 'fired/', to: 'fired0', limit: 9 }).map(([key]) => key),
      }),
    },
  )

/** A log at version 2 of the session layer, whose last entry is the command, or the tick before which timers are due. */
function logTo(what: 'command' | 'timer', version = 2): Log {
  const log = new Log(machine(false))
  if (version > 1) log.append('AdvanceVersion', { machines: [{ machine: 'holdfast', to: version, schema: '' }] })
  const session = log.open('a')
  if (what === 'command') log.request(session, 1, 'deep')
  else {
    log.request(session, 1, 'arm')
    log.advance(2000)
    log.empty('Tick')
  }
  return log
}

/** The same entries by a process with a small stack; of the last one those parts are skipped. */
function replica(log: Log, skipped?: SkippedParts) {
  const twin = new SessionStateMachine(machine(true), codec)
  for (const entry of log.entries.slice(0, -1)) twin.apply(entry, RECORD_BYTES)
  return { twin, applied: () => twin.apply(log.entries.at(-1) as Entry, RECORD_BYTES, skipped) }
}

function behind(log: Log, kind: 'SkipEntry', payload: { index: number; part: string }): Entry {
  const { append, raw } = log
  let made: Entry | null = null
  log.raw = (entryKind, bytes) => {
    made = { ...(log.entries.at(-1) as Entry), kind: entryKind, payload: bytes }
    return { index: 0, reply: { kind: 'none' }, deliver: [], ended: [], boundary: false }
  }
  append.call(log, kind, payload)
  log.raw = raw
  const entry = made as Entry | null
  if (entry === null) throw new Error('it was made')
  return { ...entry, index: (log.entries.length + 1) as Entry['index'] }
}

const COMMAND = ['command']
const DEEP = ['timer test/deep@2']

describe('a part of an entry that is skipped', () => {
  test.each([
    ['command', 'command'],
    ['timer', 'timer test/deep@2'],
  ] as const)('is named alike on every replica: %s', (what, part) => {
    const { applied, twin } = replica(logTo(what))
    expect(twin.readable).toBe(true)
    expect(applied).toThrow(expect.objectContaining({ name: 'EngineError', part }))
    expect(twin.readable).toBe(false)
    expect(() => twin.apply({} as Entry, 0)).toThrow(expect.objectContaining({ part }))
  })

  test('that is a command answers its client, and changes nothing', () => {
    const log = logTo('command')
    const { applied, twin } = replica(log, COMMAND)
    const index = log.entries.length
    const outcome = { kind: 'reject', code: 'MACHINE_ERROR', details: { machine: 'test', index, reason: 'SKIPPED' } }
    expect(applied().reply).toMatchObject({ kind: 'outcome', outcome })
    twin.checkInvariants()
    expect(twin.apply(behind(log, 'SkipEntry', { index, part: 'command' }), 9).reply).toEqual({ kind: 'none' })
  })

  test('that is a timer leaves the others of its entry', () => {
    const { applied, twin } = replica(logTo('timer'), DEEP)
    applied()
    expect(twin.query({ machine: 'test', query: 'fired', input: null, session: null })).toEqual({
      kind: 'value',
      value: ['fired/a', 'fired/z'],
    })
    expect(twin.counts.timers).toBe(0)
  })

  test('is remembered in a snapshot, and folded into the hash', () => {
    const log = logTo('command')
    const [one, two] = [replica(log, COMMAND), replica(log, COMMAND)]
    one.applied()
    two.applied()
    expect(one.twin.stateHash()).toBe(two.twin.stateHash())
    expect(one.twin.stateHash()).not.toBe(log.machine.stateHash())
    const restored = new SessionStateMachine(machine(false), codec)
    for (const [key, value] of swapped(one.twin)) if (value !== undefined) restored.restoreRow(key, value)
    const { index, term, lease, now } = log.entries.at(-1) as Entry
    restored.restored({ index, term, lease, now })
    restored.checkInvariants()
    const skip = behind(log, 'SkipEntry', { index, part: 'command' })
    expect(restored.apply(skip, 9).reply).toEqual({ kind: 'none' })
  })

  test('halts whoever has run it, at the entry that says so', () => {
    const log = logTo('command')
    const skip = behind(log, 'SkipEntry', { index: log.entries.length, part: 'command' })
    const before = log.machine.stateHash()
    expect(() => log.machine.apply(skip, 9)).toThrow(
      expect.objectContaining({ code: 'SKIP_MISSED', index: skip.index }),
    )
    expect(log.machine.stateHash()).toBe(before)
  })

  test('means nothing before version 2 of the session layer', () => {
    const log = logTo('command', 1)
    const twin = new SessionStateMachine(machine(false), codec)
    for (const entry of log.entries) twin.apply(entry, RECORD_BYTES, entry === log.entries.at(-1) ? COMMAND : [])
    expect(twin.stateHash()).toBe(log.machine.stateHash())
    const skip = behind(log, 'SkipEntry', { index: log.entries.length, part: 'command' })
    expect(log.machine.apply(skip, 9).reply).toEqual({ kind: 'none' })
  })

  test('is remembered until the entry that says so, however many others are skipped meanwhile', () => {
    const count = TOLD_KEPT + 6
    const log = new Log(machine(false))
    log.append('AdvanceVersion', { machines: [{ machine: 'holdfast', to: 2, schema: '' }] })
    const session = log.open('a')
    const first = log.entries.length + 1
    for (let id = 1; id <= count; id += 1) log.request(session, id, 'deep')
    const twin = new SessionStateMachine(machine(true), codec)
    for (const entry of log.entries) twin.apply(entry, RECORD_BYTES, entry.index < first ? [] : COMMAND)
    const last = log.entries.at(-1) as Entry
    const skip = (named: number, ahead: number): Entry => {
      const payload = encodePayload('SkipEntry', { index: named, part: 'command' })
      return { ...last, kind: 'SkipEntry', payload, index: (last.index + 1 + ahead) as Entry['index'] }
    }
    for (let at = 0; at < count; at += 1) {
      expect(twin.apply(skip(first + at, at), 9).reply).toEqual({ kind: 'none' })
      twin.checkInvariants()
    }
    // The newest may be named again; that nothing grows for ever, the oldest are forgotten.
    expect(twin.apply(skip(first + count - 1, count), 9).reply).toEqual({ kind: 'none' })
    const remembered = (swapped(twin).get('session/meta') as { skipped: [number, string, true?][] }).skipped
    expect(remembered).toEqual(Array.from({ length: TOLD_KEPT }, (_, at) => [first + 6 + at, 'command', true]))
  })

  test.each(['onSessionCreated', 'command'])('that is a hook of the rejection of %s is named as that hook', (which) => {
    const rejecting = (small: boolean) => {
      const refuse = (context: MachineContext) => {
        context.afterReject(() => void (small && overflow()))
        return reject('NO')
      }
      const user = bareMachine({ refuse }, which === 'command' ? {} : { onSessionCreated: refuse as never })
      return user
    }
    const log = new Log(rejecting(false))
    log.append('AdvanceVersion', { machines: [{ machine: 'holdfast', to: 2, schema: '' }] })
    if (which === 'command') log.request(log.open('a'), 1, 'refuse')
    else log.tryOpen('a')
    const replicas = [[], ['afterReject@2']].map((skipped) => {
      const twin = new SessionStateMachine(rejecting(true), codec)
      for (const entry of log.entries.slice(0, -1)) twin.apply(entry, RECORD_BYTES)
      return () => twin.apply(log.entries.at(-1) as Entry, RECORD_BYTES, skipped)
    })
    expect(replicas[0]).toThrow(expect.objectContaining({ name: 'EngineError', part: 'afterReject@2' }))
    const code = which === 'command' ? { outcome: { kind: 'reject', code: 'NO' } } : {}
    expect(replicas[1]?.().reply).toMatchObject(code)
  })

  test('keeps its number while others begin: what fails as one of those is recorded is named after it', () => {
    const onSessionCreated = (context: MachineContext) => {
      context.afterReject(() => {
        throw new Error('a bug')
      })
      return reject('NO')
    }
    const log = new Log(bareMachine({}, { onSessionCreated: onSessionCreated as never }))
    log.machine['applier']['runner']['transaction'].audit = overflow
    expect(() => log.tryOpen('a')).toThrow(expect.objectContaining({ part: 'onSessionCreated@1' }))
  })
})
