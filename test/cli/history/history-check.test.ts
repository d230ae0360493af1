import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { checkHistories } from '../../../src/cli/history/history-check.ts'
import { CommandError, EXIT } from '../../../src/cli/terminal/exit.ts'
import { Keyword } from '../../../src/history/edn/history-value.ts'
import { writeHistory } from '../../../src/history/edn/write-edn.ts'
import { done } from '../../history/events.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-history-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

/** What a check prints, as one text. */
function printed(flags: Partial<Parameters<typeof checkHistories>[0]> & { readonly files: readonly string[] }): {
  code: number
  out: string
} {
  const out: string[] = []
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => out.push(String(text)) > 0),
  )
  try {
    return { code: checkHistories({ model: 'register', json: false, ...flags }), out: out.join('') }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

test('each file gets its verdict, and one that cannot be makes the command fail', () => {
  const good = file('good.edn', writeHistory([...done(0, 'write', 1, 1), ...done(0, 'read', null, 1)]))
  const bad = file('bad.edn', writeHistory([...done(0, 'write', 1, 1), ...done(0, 'read', null, 2)]))
  expect(printed({ files: [good], json: false })).toEqual({ code: EXIT.ok, out: `ok        ${good}  2 operations\n` })
  const both = printed({ files: [good, bad], json: true })
  expect(both.code).toBe(EXIT.failure)
  expect(JSON.parse(both.out).files).toMatchObject([
    { file: good, verdict: 'ok', operations: 2, anomalies: [] },
    { file: bad, verdict: 'violated', anomalies: [{ name: 'not-linearizable' }] },
  ])
  expect(printed({ files: [bad], json: false }).out).toContain('not-linearizable: 0: read nil → 2 fits nowhere')
})

test('a search that was given up is a failure too', () => {
  const good = file('good.edn', writeHistory(done(0, 'write', 1, 1)))
  const given = printed({ files: [good], steps: 0, json: false })
  expect(given.code).toBe(EXIT.failure)
  expect(given.out).toContain('unknown')
})

test('where nothing was judged, nobody knows', () => {
  const nothing = [
    file('empty.edn', ''),
    file('nemesis.edn', '{:type :info, :process :nemesis, :f :kill, :value nil}'),
    file('jepsen.log', 'INFO  jepsen.core - Worker 0 starting\n'),
    file('open.edn', writeHistory(done(0, 'write', 1, 1).slice(0, 1))),
  ]
  for (const model of ['register', 'append', 'set', 'bank'] as const) {
    const files = model === 'register' ? nothing : nothing.slice(0, 3)
    const { code, out } = printed({ files, model, json: true })
    expect(code).toBe(EXIT.failure)
    for (const { verdict, why, file: name } of JSON.parse(out).files)
      expect([verdict, typeof why], `${model} ${name}`).toEqual(['unknown', 'string'])
  }
})

test('each model takes its own operations of a history of several, and names the others', () => {
  const txn = [[new Keyword('append'), 'x', 1]]
  const mixed = file('mixed.edn', writeHistory([...done(0, 'write', 1, 1), ...done(0, 'txn', txn, txn)]))
  expect(printed({ files: [mixed] }).out).toBe(`ok        ${mixed}  1 operations, besides txn\n`)
  expect(printed({ files: [mixed], model: 'append' })).toEqual({
    code: EXIT.ok,
    out: `ok        ${mixed}  1 operations, besides write\n`,
  })
  expect(() => printed({ files: [mixed], model: 'kv' })).toThrow(/operations txn, write, and none of get, put, append/)
})

test('what cannot be told apart is refused in words, and keywords with a namespace are values like others', () => {
  const lines = (value: string, seen: string): string =>
    `{:type :invoke, :process 0, :f :write, :value ${value}}\n{:type :ok, :process 0, :f :write, :value ${value}}\n` +
    `{:type :invoke, :process 0, :f :read, :value nil}\n{:type :ok, :process 0, :f :read, :value ${seen}}\n`
  for (const [value, seen] of [
    ['9007199254740993', '9007199254740992'],
    ['1e999', '1'],
  ] as const)
    expect(() => printed({ files: [file('number.edn', lines(value, seen))] })).toThrow(CommandError)
  expect(printed({ files: [file('name.edn', lines(':a/b', ':a/b'))] }).code).toBe(EXIT.ok)
  expect(printed({ files: [file('other.edn', lines(':a/b', ':a/c'))] }).code).toBe(EXIT.failure)
  expect(printed({ files: [file('sets.edn', lines('#{1 2}', '#{2 1}'))] }).code).toBe(EXIT.ok)
})

test('what is no history, or no file, is told with its place', () => {
  const none = file('none.edn', '{:type :ok')
  expect(() => checkHistories({ files: [none], model: 'register', json: false })).toThrow(
    /none\.edn: line 1: the text ends/,
  )
  const strange = file('strange.edn', writeHistory(done(0, 'jump', 1, 1)))
  expect(() => checkHistories({ files: [strange], model: 'register', json: false })).toThrow(
    /strange\.edn: there are operations jump, and none of read, write, cas/,
  )
  expect(() => checkHistories({ files: [join(folder, 'gone')], model: 'kv', json: false })).toThrow(
    /gone cannot be read: ENOENT/,
  )
})
