import { expect, test } from 'vitest'
import { groupId, logIndex, nodeId, term } from '../../src/base/brand.ts'
import { LOG_LEVELS, type LogLevel } from '../../src/protocol/log-level.ts'
import { NodeLog } from '../../src/server/node-log.ts'

interface Written {
  readonly log: NodeLog
  /** Every line so far, parsed. */
  lines(): { readonly [field: string]: unknown }[]
  currentTerm: number
}

function written(level: LogLevel): Written {
  const texts: string[] = []
  const result: Written = {
    currentTerm: 0,
    lines: () => texts.map((text) => JSON.parse(text)),
    log: new NodeLog({
      node: nodeId('n2'),
      group: groupId(0),
      level,
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
  log.noted({ kind: 'diskSlow', writeAgeMs: 312.4 })
  log.peerRefused({ peer: 'n3', code: 'WRONG_INSTANCE', sentence: 'n3 refuses this node: WRONG_INSTANCE.' })
  log.noted({ kind: 'halted', code: 'DIVERGED', index: 901, message: 'another state than most' })
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
    'warn diskSlow: a log write has not reached the disk for 312 ms',
    'warn peerRefused: n3 refuses this node: WRONG_INSTANCE.',
    'error halted: DIVERGED: another state than most',
    'error stopped: IO_ERROR: the disk is gone',
  ])
  expect(lines[4]).toMatchObject({ index: 900, rows: 12, durationMs: 3.5 })
  expect(lines[6]).toMatchObject({ peer: 'n3', code: 'WRONG_INSTANCE' })
  expect(lines[7]).toMatchObject({ code: 'DIVERGED', index: 901 })
})

test.each(LOG_LEVELS)('level %s writes its own lines and those of the levels after it', (level) => {
  const said = written(level)
  live(said)
  const ranks: readonly string[] = LOG_LEVELS
  const rank = (name: string): number => ranks.indexOf(name)
  const levels = said.lines().map((line) => String(line['level']))
  expect(levels.every((found) => rank(found) >= rank(level))).toBe(true)
  expect(levels).toHaveLength({ debug: 9, info: 9, warn: 4, error: 2, silent: 0 }[level])
})
