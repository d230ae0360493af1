import type { Mutant } from '../mutant.ts'

/** What operators do to sessions, and limits that change under them. */
export const OPERATORS: readonly Mutant[] = [
  {
    id: 'operators/dead-letter-redriven-twice',
    breaks: 'a dead letter that is sent again stays one, and may be sent once more',
    file: 'src/session/entries/operator/move-dead-letters.ts',
    find: "  state.deadLetters.take(letter, remembers(state) ? 'wasRedriven' : null)\n  const { type",
    replace: '  const { type',
    caughtBy: { kind: 'tests', files: ['test/session/entries/operator/move-dead-letters.test.ts'] },
  },
  {
    id: 'operators/droppable-letter-lost',
    breaks: 'a dead letter that may be dropped is, or drops another one, when it is sent again and there is no room',
    file: 'src/session/entries/operator/move-dead-letters.ts',
    find: 'if (!hasRoom(',
    replace: 'if (!request.droppable && !hasRoom(',
    caughtBy: { kind: 'tests', files: ['test/session/entries/operator/move-dead-letters.test.ts'] },
  },
  {
    id: 'operators/replacement-refused-above-a-lowered-limit',
    breaks: 'a request that replaces a waiting one is refused where more wait than a lowered limit allows',
    file: 'src/session/clients/outbox.ts',
    find: 'count > 0 && session.outbox.length',
    replace: 'session.outbox.length',
    caughtBy: { kind: 'tests', files: ['test/session/entries/limits.test.ts'] },
  },
  {
    id: 'operators/operators-note-lost',
    breaks: 'a session that an operator ended looks like one that expired by itself',
    file: 'src/session/entries/end-session.ts',
    find: 'note === null ? row : { ...row, note }',
    replace: 'row',
    caughtBy: { kind: 'tests', files: ['test/session/entries/operator/evict-session.test.ts'] },
  },
]
