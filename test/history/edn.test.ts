import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { type HistoryValue, Keyword } from '../../src/history/edn/history-value.ts'
import { readEdn } from '../../src/history/edn/read-edn.ts'
import { readHistory } from '../../src/history/edn/read-history.ts'
import { ednOf, writeHistory } from '../../src/history/edn/write-edn.ts'
import { HistoryError, operationsOf } from '../../src/history/history.ts'
import { sample } from '../effort.ts'
import { done, event } from './events.ts'

/** Where Debian's package puts it, which Clojure itself is started from without a script. */
const CLOJURE = ['/usr/bin/clojure', '/usr/share/java/clojure.jar'].find((path) => existsSync(path))

const STRINGS = [
  '',
  'a',
  'key',
  '"\\',
  'a\nb\r\tc',
  '\u0000\u001f\u007f',
  '\u2028\u2029',
  'ü',
  '😀',
  '\ud800',
  'x:y',
  ':k',
]
const NUMBERS = [0, 1, -1, 1.5, -0.25, 2 ** 53 - 1, 1e21, 1e-7, 123456.789]

function drawn(random: Random, depth = 0): HistoryValue {
  const kind = random.below(depth > 2 ? 5 : 7)
  if (kind === 0) return null
  if (kind === 1) return random.chance(0.5)
  if (kind === 2) return random.pick(NUMBERS)
  if (kind === 3) return random.pick(STRINGS)
  if (kind === 4) return new Keyword(random.pick(['append', 'r', 'timed-out', 'ok?', 'a.b']))
  const items = Array.from({ length: random.below(4) }, () => drawn(random, depth + 1))
  if (kind === 5) return items
  return Object.fromEntries(items.map((item, at) => [random.pick([...STRINGS, '12', '-3', '007', `n${at}`]), item]))
}

describe('EDN', () => {
  test('what is written is read as it was, on one line, and equal values have equal texts', () => {
    for (let seed = 1; seed <= sample(500); seed += 1) {
      const value = drawn(new Random(seed))
      const text = ednOf(value)
      expect(text).not.toMatch(/[\n\r\u2028\u2029]/)
      const [read = null, ...more] = readEdn(text)
      expect(more).toEqual([])
      expect(read).toEqual(value)
      expect(ednOf(read)).toBe(text)
    }
    expect(ednOf({ b: 1, a: 2 })).toBe(ednOf({ a: 2, b: 1 }))
  })

  test('whole numbers have no point, -0 no sign, and what equals nothing is refused', () => {
    expect(ednOf([1, 1.0, -0, 1e21, 0.5])).toBe('[1 1 0 1e+21 0.5]')
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) expect(() => ednOf(value)).toThrow(RangeError)
    expect(() => ednOf(new Keyword('a b'))).toThrow(RangeError)
  })

  test('a number that would be taken for its neighbour is refused, and one that is written is read', () => {
    for (const text of [
      '9007199254740993',
      '-9007199254740992',
      '[1 9007199254740993N]',
      '0.12345678901234567M',
      '1e999',
    ])
      expect(() => readEdn(text), text).toThrow(HistoryError)
    expect(readEdn('9007199254740991 -9007199254740991 1.0M 0.1 1e21')).toEqual([
      2 ** 53 - 1,
      1 - 2 ** 53,
      1,
      0.1,
      1e21,
    ])
    for (const value of [2 ** 53, 1e20, -(2 ** 63)]) expect(readEdn(ednOf(value))).toEqual([value])
    expect(() => readEdn('{:a 1, "a" 2}')).toThrow('line 1: the text has a map with one name twice')
    expect(() => readEdn('[##NaN 5]')).toThrow(HistoryError)
  })

  test('the time of an event may be any number, and nothing else of it', () => {
    const line = (time: string, value: string): string =>
      `{:type :invoke, :process 0, :f :write, :value ${value}, :time ${time}}`
    for (const text of [line('1764536400000000001', '1'), `\n[${line('1764536400000000001', '1')}]`])
      expect(readHistory(text)).toMatchObject([{ value: 1 }])
    expect(() => readHistory(line('1', '9007199254740993'))).toThrow(HistoryError)
    expect(() => readHistory(line('1', '{:time 9007199254740993}'))).toThrow(HistoryError)
  })

  test('equal sets are equal lists, and keywords are written as they were read', () => {
    expect(readEdn('#{10 9 "a" :k}')).toEqual(readEdn('#{:k "a" 9 10}'))
    for (const keyword of [':a/b', ':1', ':a:b', ':+', ':a<b']) expect(readEdn(keyword).map(ednOf)).toEqual([keyword])
  })

  test('an object that owns a field `key` is a map, and every one of several maps is read', () => {
    expect(ednOf({ key: 'a', value: 1 })).toBe('{:key "a", :value 1}')
    expect(readEdn('{:key "a"} {:key "b"}\n{:key "c"}')).toEqual([{ key: 'a' }, { key: 'b' }, { key: 'c' }])
  })

  test('comments, commas, sets, tags, lists and what is left out are read as others write them', () => {
    const text = '; a comment\n#jepsen.history.Op{:index 0, :v (1 2), :s #{3}} #_ {:gone 1} [1N, 2.5M +3 4.]'
    expect(readEdn(text)).toEqual([{ index: 0, v: [1, 2], s: [3] }, [1, 2.5, 3, 4]])
    expect(readEdn('{0 10, "a" 1, :b nil}')).toEqual([{ 0: 10, a: 1, b: null }])
  })

  test.each([
    ['{:a 1', 'line 1: the text ends within a value'],
    ['[1\n"a', 'line 2: the text ends within a string'],
    ['{:a}', 'line 1: the text has a map with a name and no value'],
    ['symbol', 'line 1: the text has symbol, which is no value of a history'],
    ['1/2', 'line 1: the text has 1/2, which is no value of a history'],
    ['"\\q"', 'line 1: the text has the unknown escape \\q'],
    ['"\\u00"', 'line 1: the text has an escape \\u without four digits'],
    ['{[1] 2}', 'line 1: the text has a map whose names are neither keywords nor strings nor numbers'],
    [']', 'line 1: the text has ] where a value is to be'],
    ['['.repeat(200), 'line 1: the text is nested too deep'],
  ])('%s is refused: %s', (text, message) => {
    expect(() => readEdn(text)).toThrow(new HistoryError(message))
  })
})

describe('histories', () => {
  const EVENTS = [
    ...done(0, 'write', 'a\n"b"', null, { key: 'k', logIndex: 7 }),
    event('invoke', 1, 'txn', [
      [new Keyword('append'), 'x', 1],
      [new Keyword('r'), 'x', null],
    ]),
    { ...event('info', 1, 'txn', null), time: 12 },
    ...done(2, 'read', null, { 0: 10, key: [1.5, '\u2028'] }),
  ]

  test('are one event per line, and read as they were', () => {
    const text = writeHistory(EVENTS)
    expect(text.split('\n')).toHaveLength(EVENTS.length + 1)
    expect(text.split('\n')[1]).toBe('{:type :ok, :process 0, :f :write, :key "k", :value nil, :index 1, :log-index 7}')
    expect(readHistory(text)).toEqual(EVENTS)
    expect(readHistory(`[${text}]`)).toEqual(EVENTS)
    expect(readHistory(`${text}{:type :info, :process :nemesis, :f :kill, :value nil}`)).toEqual(EVENTS)
  })

  test('have a cas that was lost as one that failed, which others read, and read it as it was', () => {
    const events = [
      ...done(0, 'cas', [1, 2], false, { key: 'k', logIndex: 4 }),
      ...done(0, 'cas', [1, 2], [1, 2]),
      ...done(0, 'read', null, false),
    ]
    const text = writeHistory(events)
    expect(text.split('\n')[1]).toBe(
      '{:type :fail, :process 0, :f :cas, :key "k", :value [1 2], :error :another-value, :index 1, :log-index 4}',
    )
    expect(readHistory(text)).toEqual(events)
  })

  test('that contradict themselves are refused', () => {
    const [asked, answered] = done(0, 'read', null, 1)
    if (asked === undefined || answered === undefined) throw new Error('an operation has two events')
    expect(() => operationsOf([asked, asked])).toThrow('event 1: process 0 asks before it was answered')
    expect(() => operationsOf([answered])).toThrow('event 0: process 0 is answered a read that it has not asked for')
    expect(() => readHistory('{:process 0, :f :read}')).toThrow('event 0 has a :type that is none of')
    expect(() => readHistory('{:type :ok, :process 0}')).toThrow('event 0 has no :f')
    expect(() => readHistory('[1]')).toThrow('event 0 is no map')
  })

  test.skipIf(CLOJURE === undefined)(
    `are read by Clojure, line by line${CLOJURE === undefined ? ' (not installed here)' : ''}`,
    { timeout: 120_000 },
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'holdfast-edn-'))
      try {
        writeFileSync(join(folder, 'history.edn'), writeHistory(EVENTS))
        writeFileSync(join(folder, 'read.clj'), PROGRAM)
        const command = CLOJURE?.endsWith('.jar') === true ? ['java', '-jar', CLOJURE] : [CLOJURE ?? '']
        const [name = '', ...parameters] = [...command, 'read.clj', 'history.edn']
        const { stdout, stderr } = spawnSync(name, parameters, { cwd: folder, encoding: 'utf8', timeout: 100_000 })
        expect(stdout.trim().split('\n'), stderr).toEqual([
          '6 maps',
          '[:write "k" nil 7]',
          '34 98',
          'true true',
          '[0 :key]',
        ])
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  )
})

/** Reads a history as tools in Clojure do, and tells what would be lost if it were written otherwise. */
const PROGRAM = `
(require '[clojure.edn :as edn] '[clojure.java.io :as io])
(let [ops (with-open [in (io/reader (first *command-line-args*))] (mapv edn/read-string (line-seq in)))]
  (println (count ops) "maps")
  (prn ((juxt :f :key :value :log-index) (nth ops 1)))
  (println (int (nth (:value (nth ops 0)) 2)) (int (nth (:value (nth ops 0)) 3)))
  (println (= (:index (nth ops 1)) 1) (= [[:append "x" 1] [:r "x" nil]] (:value (nth ops 2))))
  (prn (vec (keys (:value (nth ops 5))))))
`
