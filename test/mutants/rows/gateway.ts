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
  {
    id: 'gateway/attempt-sent-twice',
    breaks: 'an entry that adds a request sends again all that wait',
    file: 'src/gateway/delivery.ts',
    find: ' || sent.attempt === request.attempt',
    replace: '',
    caughtBy: { kind: 'tests', files: ['test/gateway/delivery.test.ts'] },
  },
  {
    id: 'gateway/attempt-forgotten',
    breaks: 'what a retry sent again is sent with every later entry of no client’s, too',
    file: 'src/gateway/delivery.ts',
    find: '      sent.attempt = request.attempt\n',
    replace: '',
    caughtBy: { kind: 'tests', files: ['test/gateway/delivery.test.ts'] },
  },
]
