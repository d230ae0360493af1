import type { Mutant } from './mutant.ts'
import { BOARD } from './rows/board.ts'
import { EVIDENCE } from './rows/core/evidence.ts'
import { FOREIGN_LOG } from './rows/foreign/log.ts'
import { FOREIGN_SERVICE } from './rows/foreign/service.ts'
import { FOREIGN_ELECTIONS } from './rows/foreign/elections.ts'
import { GATEWAY } from './rows/gateway.ts'
import { BENCHMARK, EXPLORER } from './rows/layers.ts'
import { LEASE_MUTANTS } from './rows/core/leases.ts'
import { MACHINE } from './rows/machine.ts'
import { NODE } from './rows/node.ts'
import { OPERATORS } from './rows/operators.ts'
import { OWED } from './rows/core/owed.ts'
import { RAFT } from './rows/core/raft.ts'
import { SCHEDULES } from './rows/schedules.ts'
import { SESSIONS } from './rows/sessions.ts'
import { SIMULATOR } from './rows/simulator.ts'
import { STORAGE } from './rows/storage.ts'
import { SUBSCRIPTIONS } from './rows/subscriptions.ts'
import { PROMISES } from './rows/thirty.ts'
import { WAITS } from './rows/waits.ts'

/**
 * Every planted bug, one file of rows per suite. `npm run mutants` plants each and reports whether what is named beside it
 * notices; a new test of a fault that no test saw before brings its row.
 */
export const MUTANTS: readonly Mutant[] = [
  ...RAFT,
  ...OWED,
  ...EVIDENCE,
  ...EXPLORER,
  ...LEASE_MUTANTS,
  ...FOREIGN_ELECTIONS,
  ...FOREIGN_LOG,
  ...FOREIGN_SERVICE,
  ...NODE,
  ...GATEWAY,
  ...SUBSCRIPTIONS,
  ...OPERATORS,
  ...STORAGE,
  ...MACHINE,
  ...SESSIONS,
  ...SIMULATOR,
  ...PROMISES,
  ...WAITS,
  ...SCHEDULES,
  ...BOARD,
  ...BENCHMARK,
]

/** Must be caught in every run that plants it: one that survives shows that the runner, or the suite, catches nothing. */
export const CANARY = 'raft/prev-log-term-ignored'
