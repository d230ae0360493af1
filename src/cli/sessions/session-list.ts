import { fetchSessions, type SessionLine } from '../../client/operator/sessions.ts'
import { jsonOfValue } from '../machines/json-value.ts'
import { type ListingForm, printListing } from '../terminal/listing.ts'
import { say } from '../terminal/output.ts'
import { asked } from './asked.ts'

/** Which sessions `holdfast session list` shows. */
export interface SessionListFlags {
  readonly endpoints: readonly string[]
  readonly limit: number
  readonly machine?: string
}

/** `holdfast session list`. */
export async function listSessions(flags: SessionListFlags, form: ListingForm): Promise<void> {
  const { sessions, more } = await asked(fetchSessions(flags.endpoints, flags))
  printListing(form, {
    name: 'sessions',
    lines: sessions.map(plainSession),
    columns: {
      session: (line) => line.id,
      state: (line) => line.state,
      client: (line) => line.clientName || null,
      principal: (line) => line.principal,
      roles: (line) => line.roles.join(',') || null,
      opened: (line) => line.openedIndex,
      expires: (line) => `${Math.ceil(line.expiresInMs / 1000)}s`,
      last: (line) => line.lastRequestId || null,
      waiting: (line) => line.waiting || null,
    },
  })
  if (more) say(`There may be more than these ${sessions.length}; --limit shows more of them.`)
}

/** As JSON says it: `state` in words. */
export function plainSession({ attached, capabilities, ...line }: SessionLine) {
  return { ...line, state: attached ? 'attached' : 'detached', capabilities: jsonOfValue(capabilities) }
}
