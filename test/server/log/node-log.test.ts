import { expect, test } from 'vitest'
import { groupId, logIndex, nodeId, sessionId, term } from '../../../src/base/brand.ts'
import { LOG_LEVELS, type LogLevel } from '../../../src/protocol/log-level.ts'
import { NodeLog } from '../../../src/server/log/node-log.ts'
import { LINES_PER_WINDOW, type Later } from '../../../src/server/log/repeat-limit.ts'

interface Written {
  readonly log: NodeLog
  /** Every line so far, parsed. */
  lines(): { readonly [field: string]: unknown }[]
  currentTerm: number
}

function written(level: LogLevel, later?: Later): Written {
  const texts: string[] = []
  const result: Written = {
    currentTerm: 0,
    lines: () => texts.map((text) => JSON.parse(text)),
    log: new NodeLog({
      node: nodeId('n2'),
      group: groupId(0),
      level,
      ...(later === undefined ? {} : { later }),
      term: () => term(result.currentTerm),
      lines: {
        write: (line) => {
          expect(line.endsWith('\n')).toBe(true)
          texts.push(line)
        },
        flush: () => undefined,
      },
    }),
  }
  return result
}

/** A life of a node, with every event that it may have. */
function live({ log }: Written): void {
  log.listening('127.0.0.1:4601')
  log.noted({ kind: 'electionBegun', term: term(3) })
  log.noted({ kind: 'roleChanged', role: 'leader', leader: nodeId('n2'), term: term(3), leading: false })
  log.noted({ kind: 'roleChanged', role: 'follower', leader: nodeId('n1'), term: term(4), leading: false })
  log.noted({ kind: 'snapshotWritten', index: logIndex(900), rows: 12, durationMs: 3.5 })
  log.noted({ kind: 'diskSlow', writeAgeMs: 312.4, stage: 'fsync' })
  log.noted({ kind: 'progressSlow', stage: 'replicate', index: logIndex(7), waitedMs: 401 })
  log.diskRoom({ sentence: 'the disk is nearly full', of: 'bytes', left: 5 })
  log.diskRoom(null)
  log.peerRefused({ peer: 'n3', code: 'WRONG_INSTANCE', sentence: 'n3 refuses this node: WRONG_INSTANCE.' })
  log.traceEnded('ENOSPC: no space left on device, write')
  log.noted({ kind: 'halted', code: 'DIVERGED', index: 901, message: 'another state than most' })
  log.noted({ kind: 'diskIgnored', peer: nodeId('n3') })
  log.noted({ kind: 'modeDiffers', peer: nodeId('n2'), development: true })
  log.noted({ kind: 'versionAwaited', machine: 'stock', version: 2, nodes: [nodeId('n2')], silent: [] })
  log.stopped({ code: 'IO_ERROR', message: 'the disk is gone' })
}

test('each event is one JSON line with time, level, node, group, term, event and a sentence', () => {
  const said = written('info')
  said.currentTerm = 4
  live(said)
  const lines = said.lines()
  for (const line of lines) {
    expect(line).toMatchObject({ node: 'n2', group: 0, term: 4, msg: expect.stringMatching(/\w/) })
    expect(new Date(String(line['time'])).toISOString()).toBe(line['time'])
  }
  expect(lines.map(({ level, event, msg }) => `${level} ${event}: ${msg}`)).toEqual([
    'info listening: listening on 127.0.0.1:4601',
    'info electionBegun: election of term 3 begun',
    'info roleChanged: leads term 3',
    'info roleChanged: follower of n1 in term 4',
    'info snapshotWritten: snapshot at index 900 written',
    'warn diskSlow: a log write has not reached the disk (fdatasync) for 312 ms',
    'warn progressSlow: what is on this disk was not committed: a majority of the voters has not acknowledged it for 401 ms',
    'warn diskShort: the disk is nearly full. While this node leads, commands are refused with DISK_FULL; queries, keep-alives and acks go on',
    'info diskRoom: there is room on the disk again: commands are taken',
    'warn peerRefused: n3 refuses this node: WRONG_INSTANCE.',
    'warn traceEnded: steps are not traced any more: ENOSPC: no space left on device, write; what was written stays true; make room, and trace into a new directory',
    'error halted: DIVERGED: another state than most',
    'warn diskIgnored: n3 greets with a data directory after which this node has heard another one of that name, and is ignored. If n3 runs on that directory now and the first election does not come, restart this node',
    'error modeDiffers: n2 runs in development mode and this node is not: they would make different states of one log, so neither hears the other. Start all nodes of a cluster in one mode, on directories that were made in it',
    'info versionAwaited: stock 2 is switched on once every voter has it: waiting for n2',
    'error stopped: IO_ERROR: the disk is gone',
  ])
  expect(lines[4]).toMatchObject({ index: 900, rows: 12, durationMs: 3.5 })
  expect(lines[9]).toMatchObject({ peer: 'n3', code: 'WRONG_INSTANCE' })
  expect(lines[11]).toMatchObject({ code: 'DIVERGED', index: 901 })
})

test.each(LOG_LEVELS)('level %s writes its own lines and those of the levels after it', (level) => {
  const said = written(level)
  live(said)
  const ranks: readonly string[] = LOG_LEVELS
  const rank = (name: string): number => ranks.indexOf(name)
  const levels = said.lines().map((line) => String(line['level']))
  expect(levels.every((found) => rank(found) >= rank(level))).toBe(true)
  expect(levels).toHaveLength({ debug: 16, info: 16, warn: 9, error: 3, silent: 0 }[level])
})

const failure = {
  kind: 'failure',
  part: { machine: 'stock', kind: 'command', name: 'reserve' },
  index: 42,
  session: sessionId(0, 1, 7),
  reason: 'EXCEPTION',
  replayed: false,
} as const

test('a machine that fails is told with machine, function, entry, session, message, stack and cause', () => {
  const said = written('error')
  const error = new TypeError('no such article', { cause: new Error('the root') })
  said.log.reported({ ...failure, error })
  const [line] = said.lines()
  expect(line).toMatchObject({
    level: 'error',
    event: 'machineFailed',
    machine: 'stock',
    part: 'command',
    name: 'reserve',
    index: 42,
    session: '0/1/7',
    reason: 'EXCEPTION',
    replayed: false,
    error: 'TypeError: no such article',
    msg: 'command stock.reserve failed at index 42: it threw (TypeError: no such article)',
  })
  expect(line?.['stack']).toContain('node-log.test.ts')
  expect(line?.['stack']).toContain('caused by Error: the root')
})

test('what a machine throws cannot break the line about it', () => {
  const said = written('error')
  const odd = [
    'text',
    null,
    undefined,
    Object.create(null),
    { toString: () => Symbol('x') },
    Object.defineProperty(new Error('x'), 'message', { get: () => JSON.parse('{') }),
    new Error('x'.repeat(100_000)),
  ]
  for (const [at, error] of odd.entries())
    said.log.reported({ ...failure, part: { ...failure.part, name: `c${at}` }, error })
  expect(said.lines()).toHaveLength(odd.length)
  for (const line of said.lines()) expect(JSON.stringify(line).length).toBeLessThan(10_000)
})

test('a loop of throws fills no log: the first lines of each function, then how many were left out', () => {
  const waiting: (() => void)[] = []
  const said = written('error', (_ms, run) => void waiting.push(run))
  const other = { ...failure, part: { ...failure.part, name: 'other' } }
  for (let index = 1; index <= 1000; index += 1) said.log.reported({ ...failure, index, error: new Error('again') })
  said.log.reported({ ...other, error: new Error('once') })
  expect(said.lines()).toHaveLength(LINES_PER_WINDOW + 1)
  for (const run of waiting.splice(0)) run()
  expect(said.lines().at(-1)).toMatchObject({
    event: 'machineFailuresLeftOut',
    name: 'command stock.reserve',
    leftOut: 1000 - LINES_PER_WINDOW,
  })
  // The next window begins anew, and a process that ends tells what it has left out.
  for (let index = 1; index <= 10; index += 1) said.log.reported({ ...failure, index, error: null })
  said.log.flush()
  expect(said.lines()).toHaveLength(2 * (LINES_PER_WINDOW + 1) + 1)
  // Names without end do not fill it either.
  for (let name = 0; name < 10_000; name += 1)
    said.log.reported({ ...failure, part: { ...failure.part, name: `c${name}` }, error: null })
  expect(said.lines().length).toBeLessThan(500)
})

test('ctx.log is a line of the event machine, its fields apart from those of the line', () => {
  const said = written('info')
  const fields = { level: 'none', event: 'none', n: 1 }
  said.log.reported({ kind: 'line', machine: 'stock', index: 42, message: 'low', fields })
  expect(said.lines()).toMatchObject([
    { level: 'info', event: 'machine', machine: 'stock', index: 42, fields, msg: 'low' },
  ])
  const quiet = written('warn')
  quiet.log.reported({ kind: 'line', machine: 'stock', index: 42, message: 'low', fields })
  expect(quiet.lines()).toEqual([])
})
