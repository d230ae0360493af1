import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkAppend } from '../../src/history/append/check-append.ts'
import { readHistory } from '../../src/history/edn/read-history.ts'
import { isJepsenLog, readJepsenLog } from '../../src/history/edn/read-jepsen-log.ts'
import { writeHistory } from '../../src/history/edn/write-edn.ts'
import { type Operation, operationsOf } from '../../src/history/history.ts'
import { checkLinearizable } from '../../src/history/linear/linearizability.ts'
import { keyValueModel, registerModel } from '../../src/history/linear/models.ts'
import { checkBank } from '../../src/history/properties/bank.ts'
import { checkSet } from '../../src/history/properties/element-set.ts'
import type { Verdict } from '../../src/history/verdict.ts'

const OWN = new URL('files', import.meta.url).pathname
/**
 * A directory of the same shape with histories that others have published: in it folders named after a model, whose files
 * end in `-ok` or `-bad`, or have their verdicts in a `verdicts.csv` (`file,linearizable` or `file,not-linearizable`).
 */
const OTHERS = process.env['HOLDFAST_HISTORIES'] ?? ''
/** For all files of a directory together. */
const MS_MAX = 10_000

const CHECKS: { readonly [folder: string]: (operations: readonly Operation[]) => Verdict } = {
  register: (operations) => checkLinearizable(operations, registerModel),
  'jepsen-etcd': (operations) => checkLinearizable(operations, registerModel),
  kv: (operations) => checkLinearizable(operations, keyValueModel),
  append: checkAppend,
  set: checkSet,
  bank: checkBank,
}

function verdictsOf(directory: string): { readonly expected: string[]; readonly found: string[]; readonly ms: number } {
  const [expected, found]: [string[], string[]] = [[], []]
  const startedAt = performance.now()
  for (const [folder, check] of Object.entries(CHECKS)) {
    for (const [file, verdict] of expectedIn(join(directory, folder))) {
      const text = readFileSync(join(directory, folder, file), 'utf8')
      const events = isJepsenLog(text) ? readJepsenLog(text) : readHistory(text)
      expected.push(`${folder}/${file} ${verdict}`)
      found.push(`${folder}/${file} ${check(operationsOf(events)).kind}`)
    }
  }
  return { expected, found, ms: performance.now() - startedAt }
}

function expectedIn(folder: string): readonly (readonly [string, string])[] {
  if (!existsSync(folder)) return []
  const table = join(folder, 'verdicts.csv')
  if (existsSync(table)) {
    const rows = readFileSync(table, 'utf8').trim().split('\n')
    return rows.map((row) => {
      const [file = '', verdict] = row.split(',')
      return [file, verdict === 'linearizable' ? 'ok' : 'violated'] as const
    })
  }
  return readdirSync(folder).flatMap((file) => {
    const end = /-(ok|bad)\.\w+$/.exec(file)?.[1]
    return end === undefined ? [] : [[file, end === 'ok' ? 'ok' : 'violated'] as const]
  })
}

describe('histories with known verdicts', () => {
  test('our own are judged as they were made', () => {
    const { expected, found } = verdictsOf(OWN)
    expect(expected.length).toBeGreaterThan(15)
    expect(found).toEqual(expected)
  })

  test.skipIf(OTHERS === '')(`those of HOLDFAST_HISTORIES as published, in less than ${MS_MAX / 1000} s`, () => {
    const { expected, found, ms } = verdictsOf(OTHERS)
    expect(expected.length).toBeGreaterThan(0)
    expect(found).toEqual(expected)
    expect(ms).toBeLessThan(MS_MAX)
    console.log(`${expected.length} published histories in ${Math.round(ms)} ms`)
  })

  test('a file that is read and written again is the same', () => {
    for (const file of readdirSync(join(OWN, 'append'))) {
      const text = readFileSync(join(OWN, 'append', file), 'utf8')
      expect(writeHistory(readHistory(text))).toBe(text)
    }
  })
})

describe('logs of Jepsen', () => {
  const LOG = [
    'INFO  jepsen.core - Worker 0 starting',
    'INFO  jepsen.util - 0\t:invoke\t:cas\t[1 2]',
    'INFO  jepsen.util - 1\t:invoke\t:write\t1',
    'INFO  jepsen.util - 0\t:fail\t:cas\t[1 2]',
    'INFO  jepsen.util - 1\t:info\t:write\t:timed-out',
    'INFO  jepsen.util - 2\t:invoke\t:read\tnil',
    'INFO  jepsen.util - 2\t:ok\t:read\tnil',
    'INFO  jepsen.util - :nemesis\t:info\t:start\tnil',
  ].join('\n')

  test('have a cas that fails as one that was executed, and a write without an answer as unknown', () => {
    expect(isJepsenLog(LOG)).toBe(true)
    const operations = operationsOf(readJepsenLog(LOG))
    expect(operations.map(({ name, outcome, output }) => [name, outcome, output])).toEqual([
      ['cas', 'ok', false],
      ['write', 'unknown', null],
      ['read', 'ok', null],
    ])
    expect(checkLinearizable(operations, registerModel)).toEqual({ kind: 'ok' })
  })
})
