import { expect, test } from 'vitest'
import type { Journal } from '../../../bench/faults/history.ts'
import { checkSessions } from '../../../bench/faults/verdict/check-sessions.ts'
import { judgeHistory } from '../../../bench/faults/verdict/judge-history.ts'

const SESSIONS: Journal['sessions'] = [
  { kind: 'opened', session: 'a', index: 3 },
  { kind: 'opened', session: 'b', index: 4 },
  { kind: 'ended', session: 'a', index: 8 },
]
const COMMANDS: Journal['commands'] = [
  { id: '1:1', session: 'a', index: 5 },
  { id: '2:1', session: 'b', index: 9 },
]

function found(journal: Partial<Journal>): string[] {
  const whole = { commands: COMMANDS, sessions: SESSIONS, ...journal }
  const names = checkSessions(whole).flatMap(({ verdict }) =>
    verdict.kind === 'violated' ? verdict.anomalies.map(({ name }) => name) : [],
  )
  // Every command of it is a phantom to who knows of no call.
  expect(judgeHistory([], whole).violated).toBe(names.length)
  return names
}

test('commands are executed while their session is open', () => {
  expect(found({})).toEqual([])
})

test('a command before its session is open, or after it has ended, is told', () => {
  expect(found({ commands: [{ id: '1:1', session: 'a', index: 2 }] })).toEqual(['before-open', 'opened-twice'])
  expect(found({ commands: [...COMMANDS, { id: '1:2', session: 'a', index: 10 }] })).toEqual(['after-end'])
  expect(found({ commands: [{ id: '3:1', session: 'c', index: 6 }] })).toEqual(['before-open'])
})

test('a session that ends twice is told', () => {
  expect(found({ sessions: [...SESSIONS, { kind: 'ended', session: 'a', index: 12 }] })).toEqual(['ended-twice'])
})
