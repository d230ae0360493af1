import fc from 'fast-check'
import type { Applied } from '../../src/session/state-machine.ts'
import type { Log } from './log.ts'
import { OWN } from './model/versions.ts'
import type { Operation } from './operations.ts'
import { soberCommand } from './planning.ts'

/** An entry that says of a part that it is skipped: one that was, that was run, or that is still to come. */
export interface SkipOperation {
  kind: 'skip'
  of: 'skipped' | 'run' | 'ahead'
  back: number
}

/**
 * Logs of a cluster that may skip, since its session layer is at version 2: parts of entries are not run, and entries say so of
 * what was skipped. `alsoRun`: also of what was run.
 */
export function withSkips(
  one: fc.Arbitrary<Operation>,
  list: (one: fc.Arbitrary<Operation>) => fc.Arbitrary<Operation[]>,
  alsoRun: boolean,
): fc.Arbitrary<Operation[]> {
  const skipping = one.chain((of) =>
    fc
      .subarray(partsOf(of), { minLength: 1, maxLength: 2 })
      .map((parts): Operation => ({ kind: 'skipping', parts, of })),
  )
  const named = fc.record({
    kind: fc.constant('skip' as const),
    of: alsoRun
      ? fc.constantFrom(
          'skipped' as const,
          'skipped' as const,
          'skipped' as const,
          'skipped' as const,
          'ahead' as const,
          'run' as const,
        )
      : fc.constantFrom('skipped' as const, 'ahead' as const),
    back: fc.nat({ max: 4 }),
  })
  const each = fc.oneof(
    { weight: 9, arbitrary: one },
    { weight: 3, arbitrary: skipping },
    { weight: 1, arbitrary: named },
    { weight: 1, arbitrary: fc.constantFrom(...RARE) },
  )
  const due = fc.constantFrom([], DEAD_AND_SKIPPED, ...['later', 'planSkip', 'waitHere'].map(dueAndSkipped))
  return fc.tuple(due, list(each)).map(([script, rest]) => [BEGUN, ...script, ...rest])
}

/** A log in which that command has something fall due, and the entry before which it is passes over it. */
function dueAndSkipped(command: string): Operation[] {
  const parts = ['timer test/t1@1', 'schedule test/s1@1', 'wait 1-wait-1@1']
  return [
    soberCommand(command),
    { kind: 'propose', fault: 'none' },
    { kind: 'advance', ms: 10_000 },
    { kind: 'skipping', parts, of: { kind: 'tick' } },
  ]
}

/** What waits first runs out of its attempts, and nobody hears of it. */
const DEAD_AND_SKIPPED: Operation[] = [
  { kind: 'advance', ms: 40_000 },
  { kind: 'retry', session: 0 },
  { kind: 'advance', ms: 100_000 },
  { kind: 'skipping', parts: ['onDeadLetter@1'], of: { kind: 'retry', session: 0 } },
]

/** What else would hardly ever come: functions that few entries come to. */
const RARE: readonly Operation[] = [
  {
    kind: 'skipping',
    parts: ['migration of test to 2@1'],
    of: { kind: 'switch', advances: [{ machine: 'test', to: 2, other: false }] },
  },
  {
    kind: 'skipping',
    parts: ['afterReject@2'],
    of: soberCommand('refuse'),
  },
  { kind: 'skipping', parts: ['onSessionExpired@1'], of: { kind: 'evict', session: 0 } },
]

/** Names of parts that such an entry may have, and of timers that may be due before it. */
function partsOf(operation: Operation): string[] {
  const due = [
    'timer test/t0@1',
    'timer test/t1@1',
    'schedule test/s0@1',
    'schedule test/s1@2',
    'wait 1-wait-1@1',
    'task 1-task-1@1',
  ]
  switch (operation.kind) {
    case 'request':
      if (operation.command === 'refuse') return ['afterReject@2', 'command']
      if (operation.command === 'complete' || operation.command === 'fail')
        return ['task@1', 'test@1', 'task@2', ...due]
      return ['command', ...due, 'wait 1-wait-1@2']
    case 'open':
      return ['onSessionCreated@1', 'onSessionCreated@1', 'entry']
    case 'expire':
    case 'close':
    case 'evict':
      return ['onSessionExpired@1', 'onSessionExpired@1', 'onSessionExpired@1', 'wait 1-wait-1@2', 'entry']
    case 'retry':
      return ['onDeadLetter@1', 'onDeadLetter@1', 'entry']
    case 'switch':
      return ['entry', ...due]
    default:
      return ['entry', ...due, ...due]
  }
}

/** The log names every machine, as the first leader of a cluster does. */
const BEGUN: Operation = {
  kind: 'switch',
  advances: [
    { machine: 'test', to: 1, other: false },
    { machine: 'second', to: 1, other: false },
    { machine: OWN, to: 4, other: false },
  ],
}

export function sayThatSkipped(log: Log, { of, back }: SkipOperation): { applied: Applied } | null {
  const parts = [...log.skipped].flatMap(([index, names]) => names.map((part) => ({ index, part })))
  const last = log.entries.length
  const named =
    of === 'skipped'
      ? parts[parts.length - 1 - back]
      : {
          index: of === 'run' ? Math.max(last - back, 1) : last + 1 + back,
          part: of === 'run' ? 'onTimer@9' : 'command',
        }
  return named === undefined ? null : { applied: log.append('SkipEntry', named) }
}
