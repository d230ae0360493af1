import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import * as client from '../../src/client/index.ts'
import * as host from '../../src/host/index.ts'
import * as sdk from '../../src/index.ts'
import * as machines from '../../src/machines/index.ts'
import * as testing from '../../src/testing/index.ts'
import { realise } from './anything.ts'

type Exported = (...given: unknown[]) => unknown

const EXPORTED = Object.entries({ ...machines, ...testing, ...host, ...sdk, ...client, ...sdk.sessionCodec }).filter(
  (entry): entry is [string, Exported] => typeof entry[1] === 'function',
)
const escaped: unknown[] = []
const noteEscaped = (error: unknown): void => void escaped.push(error)

beforeAll(() => {
  process.on('unhandledRejection', noteEscaped)
  process.on('uncaughtException', noteEscaped)
})
beforeEach(() => {
  // What is said of callbacks that reject has tests of its own.
  vi.spyOn(process, 'emitWarning').mockReturnValue(undefined)
})
afterAll(() => {
  process.off('unhandledRejection', noteEscaped)
  process.off('uncaughtException', noteEscaped)
})

/** What it returns, or nothing where it throws at once. */
function called(exported: Exported, given: unknown[]): unknown {
  try {
    const isClass = /^class\b/.test(Function.prototype.toString.call(exported))
    return isClass ? Reflect.construct(exported, given) : exported(...given)
  } catch {
    return undefined
  }
}

describe('every public function, given functions that reject', () => {
  test.each(EXPORTED)('%s leaves no rejection behind', async (_name, exported) => {
    for (let functions = 1; functions <= 4; functions += 1) {
      const given = Array.from({ length: functions }, () => realise('«rejecter»'))
      await Promise.resolve(called(exported, given)).then(
        () => {},
        () => {},
      )
    }
    await new Promise((resolve) => setImmediate(resolve))
    expect(escaped.splice(0)).toEqual([])
  })
})
