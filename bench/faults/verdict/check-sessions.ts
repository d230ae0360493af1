import { checkSessionLives, type SessionEvent } from '../../../src/history/properties/session-lives.ts'
import type { Journal } from '../history.ts'
import type { CheckerVerdict } from './check-history.ts'

/** Whether no command is executed of a session before it is open or after it has ended, and none opens or ends twice. */
export function checkSessions({ commands, sessions }: Journal): readonly CheckerVerdict[] {
  const numbers = new Map<string, number>()
  const numberOf = (session: string): number => {
    const number = numbers.get(session) ?? numbers.size + 1
    numbers.set(session, number)
    return number
  }
  const events: SessionEvent[] = [
    ...commands.map(({ session, index }) => ({
      kind: 'applied' as const,
      session: numberOf(session),
      logIndex: index,
    })),
    ...sessions.map(({ kind, session, index }) => ({ kind, session: numberOf(session), logIndex: index })),
  ]
  const inOrder = events.toSorted((left, right) => left.logIndex - right.logIndex)
  return [{ checker: 'sessions', verdict: checkSessionLives(inOrder) }]
}
