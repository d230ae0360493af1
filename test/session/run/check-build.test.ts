import { describe, expect, test } from 'vitest'
import { ApplyHalt } from '../../../src/session/run/halt.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { BuildMachine } from '../../../src/session/user-machine.ts'
import { bareMachine, counterHandlers } from '../bare-machine.ts'
import { codec, Log, swapped, value } from '../log.ts'

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)]

const machineOf = (...machines: readonly BuildMachine[]) => bareMachine(counterHandlers, { machines })
const test1 = (schema = A): BuildMachine => ({ name: 'test', versions: [{ version: 1, schema, code: '' }] })
const wanted = (to: number, schema = A) => ({ machines: [{ machine: 'test', to, schema }] })

function haltOf(run: () => unknown): ApplyHalt {
  try {
    run()
  } catch (error) {
    if (error instanceof ApplyHalt) return error
    throw error
  }
  throw new Error('it did not halt')
}

describe('a build that lacks what the log switches to', () => {
  test.each<[string, readonly BuildMachine[], string, RegExp]>([
    [
      'the machine',
      [],
      'MACHINE_MISSING',
      /machine test at version 2 \(schema a{12}\).*does not have it \(it has no machines\)/,
    ],
    ['the version', [test1()], 'MACHINE_MISSING', /this build has version 1 \(schema a{12}\).*has version 2 too/],
    [
      'the schema',
      [{ name: 'test', versions: [{ version: 2, schema: B, code: '' }] }],
      'MACHINE_DIFFERS',
      /this build has version 2 \(schema b{12}\).*higher version/,
    ],
  ])('%s: it halts before the entry changes anything, and at every later call', (_what, build, code, sentence) => {
    const log = new Log(machineOf(...build))
    log.advance(1000)
    const before = [log.machine.stateHash(), log.machine.appliedIndex]
    const halt = haltOf(() => log.append('AdvanceVersion', wanted(2)))
    expect(halt).toMatchObject({ code, index: 3 })
    expect(halt.message).toMatch(sentence)
    expect([log.machine.stateHash(), log.machine.appliedIndex]).toEqual(before)
    expect(haltOf(() => log.empty('Tick'))).toBe(halt)
  })

  test('timers that are due before the entry do not fire', () => {
    const log = new Log(machineOf())
    const before = log.machine.stateHash()
    log.advance(60_000)
    haltOf(() => log.append('AdvanceVersion', wanted(1)))
    expect(log.machine.stateHash()).toBe(before)
  })

  test('it halts right after it has loaded a snapshot that says so', () => {
    const log = new Log(machineOf(test1()))
    log.append('AdvanceVersion', wanted(1))
    value(log.request(log.open('client'), 1, 'increment'))
    const rows = [...swapped(log.machine)]
    for (const [build, code] of [
      [[], 'MACHINE_MISSING'],
      [[test1(B)], 'MACHINE_DIFFERS'],
    ] as const) {
      const restored = new SessionStateMachine(machineOf(...build), codec)
      for (const [key, row] of rows) if (row !== undefined) restored.restoreRow(key, row)
      const { appliedIndex: index } = log.machine
      const halt = haltOf(() => restored.restored({ index, term: 1, lease: log.lease, now: log.now }))
      expect(halt).toMatchObject({ code, index })
      expect(restored.stateHash()).toBe(log.machine.stateHash())
      expect(haltOf(() => restored.apply(log.entries.at(-1) as never, 1))).toBe(halt)
    }
  })
})

describe('a build that has it', () => {
  test('goes on, with more versions and machines than the log names', () => {
    const more: BuildMachine = { name: 'more', versions: [{ version: 1, schema: '', code: '' }] }
    const both = { name: 'test', versions: [...test1().versions, { version: 2, schema: B, code: '' }] }
    const log = new Log(machineOf(both, more))
    log.append('AdvanceVersion', wanted(1))
    log.append('AdvanceVersion', wanted(2, B))
    expect(log.machine.activeVersion('test')).toBe(2)
  })

  test('another code at the same version and schema is no reason to halt', () => {
    const log = new Log(machineOf({ name: 'test', versions: [{ version: 1, schema: A, code: 'another' }] }))
    log.append('AdvanceVersion', wanted(1))
    expect(log.machine.activeVersion('test')).toBe(1)
  })
})
