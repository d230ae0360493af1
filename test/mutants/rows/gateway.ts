import type { Mutant } from '../mutant.ts'

/** What connections are told, and what they ask. */
export const GATEWAY: readonly Mutant[] = [
  {
    id: 'gateway/acknowledged-request-sent-again',
    breaks: 'a retry sends again what the client has acknowledged, and leaves out the newest that wait',
    file: 'src/gateway/delivery.ts',
    find: 'outbox(target.sessionIndex, first.id - 1, waiting)',
    replace: 'outbox(target.sessionIndex, this.acknowledged, waiting)',
    caughtBy: { kind: 'tests', files: ['test/gateway/delivery.test.ts'] },
  },
]
