import type { Stage } from '../../gates/facts/stages.ts'
import { OWN_WORDS_PAGE, OWN_WORDS_SCAN_MAX } from '../facts/dialogue-bounds.ts'
import type { SessionView } from '../facts/session-schema.ts'

/** A message that a person wrote. */
interface Word {
  readonly seq: number
  readonly text: string
}

/**
 * The latest `limit` messages that a person wrote in a dialogue, at one stage or at all, in the order of the log. What the
 * product said between them does not count. PERF: O(messages of that reader that are looked at), at most `OWN_WORDS_SCAN_MAX`.
 */
export function ownWords(
  view: Pick<SessionView, 'messages'>,
  { sid, user, stage = null }: { readonly sid: string; readonly user: string; readonly stage?: Stage | null },
  limit: number,
): readonly Word[] {
  const found: Word[] = []
  let before: readonly [string, string, number, number] | null = null
  for (let looked = 0; looked < OWN_WORDS_SCAN_MAX; looked += OWN_WORDS_PAGE) {
    const rows = view.messages.range({
      prefix: stage === null ? [sid, user] : [sid, user, stage],
      ...(before === null ? {} : { to: before }),
      limit: OWN_WORDS_PAGE,
      reverse: true,
    })
    for (const [key, { role, text }] of rows) {
      before = key
      if (role === 'USER' && text !== null) found.push({ seq: key[3], text })
      if (found.length === limit) return found.reverse()
    }
    if (rows.length < OWN_WORDS_PAGE) break
  }
  return found.reverse()
}
