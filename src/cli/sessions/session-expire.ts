import { evictSession } from '../../client/operator/sessions.ts'
import { EXIT } from '../terminal/exit.ts'
import { print, printJson } from '../terminal/output.ts'
import { asked } from './asked.ts'
import { timeOf } from './session-show.ts'

/** Which session `holdfast session expire` ends, and why. */
export interface SessionExpireFlags {
  readonly endpoints: readonly string[]
  readonly id: string
  readonly reason: string
  readonly json: boolean
}

/** `holdfast session expire`. One that had ended before is told as such; the exit code is 0 for both. */
export async function expireSession({ endpoints, id, reason, json }: SessionExpireFlags): Promise<void> {
  const { now, ended, endedMs, by } = await asked(evictSession(endpoints, { id, note: reason }), EXIT.failure)
  if (json) return printJson({ id, now, state: ended, endedMs, by })
  const how = ended === 'closed' ? 'was closed' : 'expired'
  print(now ? `${id} is expired` : `${id} had ended before: it ${how} at ${timeOf(endedMs)}`)
}
