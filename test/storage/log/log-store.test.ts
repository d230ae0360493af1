import { logContract } from './log-contract.ts'
import { deferredHarness, nodeHarness, synchronousHarness } from './log-harnesses.ts'

logContract('real files', nodeHarness)
logContract('memory', () => synchronousHarness())
logContract('memory with deferred completions', deferredHarness)
