import fc from 'fast-check'
import { TASK_COMMANDS } from './model/tasks.ts'
import { anyOperation, clock, list, OPENING, type Operation } from './operations.ts'
import { soberCommand } from './planning.ts'
import { withSkips } from './skipping.ts'

const ANSWERS = ['ask', 'complete', 'complete', 'complete', 'complete', 'fail', 'fail', 'fail']

/** Leases of tasks have run out, and their worker has them again. */
const SECOND_ATTEMPTS: Operation[] = [
  soberCommand('ask'),
  soberCommand('ask'),
  { kind: 'ack', session: 0, upTo: 1 },
  { kind: 'advance', ms: 40_000 },
]
const GONE: Operation = { kind: 'close', session: 0, stale: false }

/** Random logs that are mostly of tasks, of workers and others who come and go. */
export function taskOperations(): fc.Arbitrary<Operation[]> {
  const some = fc.nat({ max: 4 })
  const asked = fc.record({ name: fc.constantFrom(...TASK_COMMANDS, ...ANSWERS), n: fc.constantFrom(1, 1, 2, 3), some })
  const asks = fc.tuple(asked, some).map(([{ name, n, some: session }, to]): Operation => {
    return { ...soberCommand(name, n), session, to }
  })
  const mixed = fc.oneof(
    { weight: 6, arbitrary: asks },
    { weight: 2, arbitrary: anyOperation(TASK_COMMANDS) },
    { weight: 2, arbitrary: clock },
  )
  const second = fc.constantFrom<Operation[]>([], SECOND_ATTEMPTS, [...SECOND_ATTEMPTS, GONE])
  const rest = fc.oneof(list(mixed), withSkips(mixed, list, false))
  return fc.tuple(second, rest).map(([script, others]) => [OPENING, ...script, ...others])
}
