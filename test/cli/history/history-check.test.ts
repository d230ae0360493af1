import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { checkHistories } from '../../../src/cli/history/history-check.ts'
import { EXIT } from '../../../src/cli/terminal/exit.ts'
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
function printed(flags: Omit<Parameters<typeof checkHistories>[0], 'model'>): { code: number; out: string } {
  const out: string[] = []
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => out.push(String(text)) > 0),
  )
  try {
    return { code: checkHistories({ ...flags, model: 'register' }), out: out.join('') }
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

test('what is no history, or no file, is told with its place', () => {
  const none = file('none.edn', '{:type :ok')
  expect(() => checkHistories({ files: [none], model: 'register', json: false })).toThrow(
    /none\.edn: line 1: the text ends/,
  )
  const strange = file('strange.edn', writeHistory(done(0, 'jump', 1, 1)))
  expect(() => checkHistories({ files: [strange], model: 'register', json: false })).toThrow(
    /no register is asked to jump/,
  )
  expect(() => checkHistories({ files: [join(folder, 'gone')], model: 'kv', json: false })).toThrow(
    /gone cannot be read: ENOENT/,
  )
})
