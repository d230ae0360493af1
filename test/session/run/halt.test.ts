import { describe, expect, test } from 'vitest'
import { logIndex, term } from '../../../src/base/brand.ts'
import type { Entry } from '../../../src/codec/entry/entry.ts'
import { explainError } from '../../../src/protocol/errors.ts'
import { ApplyHalt, type HaltCode } from '../../../src/session/run/halt.ts'
import { counter } from '../bare-machine.ts'
import { Log, RECORD_BYTES, START } from '../log.ts'

const CODES: readonly HaltCode[] = ['MACHINE_MISSING', 'MACHINE_DIFFERS', 'REPLAY_DIVERGED', 'DIVERGED']

describe('a halt inside apply', () => {
  test.each(CODES)('with %s is thrown again by every later call, and is explained', (code) => {
    const { machine } = new Log(counter())
    const next = machine.appliedIndex + 1
    const halt = new ApplyHalt(code, next, 'another machine')
    const entry: Omit<Entry, 'lease'> = {
      kind: 'Noop',
      index: logIndex(next),
      term: term(1),
      now: START,
      payload: new Uint8Array(0),
    }
    const halting = {
      ...entry,
      get lease(): number {
        throw halt
      },
    }
    expect(() => machine.apply(halting, RECORD_BYTES)).toThrow(halt)
    expect(() => machine.apply({ ...entry, lease: 0 }, RECORD_BYTES)).toThrow(halt)
    expect(explainError('halt', code)).not.toBeNull()
  })
})
