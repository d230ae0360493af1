import { askLeader } from './ask-leader.ts'
import { paged } from './paged.ts'
import { decoded, type WaitingRequest } from './sessions.ts'

/** A server request that ran out of attempts or time. Times are Unix ms. */
export interface DeadLetterLine {
  /** Its number among all dead letters, from 1. */
  readonly letter: number
  /** group/incarnation/index. */
  readonly session: string
  readonly principal: string
  readonly clientName: string
  /** The session still lives: the letter can be redriven. */
  readonly alive: boolean
  /** As it was in the session's outbox. */
  readonly request: WaitingRequest
  readonly deadMs: number
  /** It is forgotten then. */
  readonly untilMs: number
}

/** What came of a dead letter, as `MoveDeadLettersResponse.outcomes` says. */
export type MovedLetter = {
  readonly letter: number
  readonly outcome: 'redriven' | 'discarded' | 'wasRedriven' | 'wasDiscarded' | 'unknown' | Stays
}

/** Why a letter is still a dead letter. */
type Stays = 'sessionEnded' | 'newerWaits' | 'olderWaits' | 'outboxFull'

/** Letters of one entry. */
const MOVE = 1024

/** At most `limit` dead letters, of one session or of all (''). Rejects with OperatorError. */
export async function fetchDeadLetters(
  endpoints: readonly string[],
  { limit, session = '', payloads = false }: { limit: number; session?: string; payloads?: boolean },
): Promise<{ readonly letters: readonly DeadLetterLine[]; readonly more: boolean }> {
  const { items, more } = await paged({ limit, filtered: session !== '' }, async (after: number | null, size) => {
    const request = { after: after ?? 0, limit: size, session, payloads }
    const page = (await askLeader(endpoints, { method: 'DeadLetters', request })) as LettersPage
    return { items: page.letters.map(lineOf), next: page.nextAfter === 0 ? null : page.nextAfter }
  })
  return { letters: items, more }
}

/**
 * Has dead letters sent again, or forgets them; resolves with what came of each, in their order. Each is moved once, however
 * often this is repeated: where an answer was lost, a letter is told as `wasRedriven` or `wasDiscarded`. Rejects with
 * OperatorError.
 */
export async function moveDeadLetters(
  endpoints: readonly string[],
  { move, letters }: { readonly move: 'redrive' | 'discard'; readonly letters: readonly number[] },
): Promise<readonly MovedLetter[]> {
  const moved: MovedLetter[] = []
  for (let at = 0; at < letters.length; at += MOVE) {
    const some = letters.slice(at, at + MOVE)
    const answer = (await askLeader(endpoints, {
      method: 'MoveDeadLetters',
      request: { move, letters: some },
    })) as { readonly outcomes: readonly MovedLetter['outcome'][] }
    // The leader answers for each of them, in their order.
    moved.push(...answer.outcomes.map((outcome, position) => ({ letter: some[position] ?? 0, outcome })))
  }
  return moved
}

type Encoded = Omit<DeadLetterLine, 'request'> & {
  readonly request: Omit<WaitingRequest, 'payload'> & { readonly payload: Uint8Array }
}

interface LettersPage {
  readonly letters: readonly Encoded[]
  readonly nextAfter: number
}

const lineOf = (line: Encoded): DeadLetterLine => ({
  ...line,
  request: { ...line.request, payload: decoded(line.request.payload) },
})
