import { fetchDeadLetters } from '../../client/operator/dead-letters.ts'
import { jsonOfValue } from '../machines/json-value.ts'
import { asked } from '../sessions/asked.ts'
import { timeOf } from '../sessions/session-show.ts'
import { type ListingForm, printListing } from '../terminal/listing.ts'
import { say } from '../terminal/output.ts'

/** Which dead letters `holdfast dead-letters list` shows. */
export interface DeadLetterListFlags {
  readonly endpoints: readonly string[]
  readonly session?: string
  readonly limit: number
  readonly payloads: boolean
}

/** `holdfast dead-letters list`. */
export async function listDeadLetters(flags: DeadLetterListFlags, form: ListingForm): Promise<void> {
  const { letters, more } = await asked(fetchDeadLetters(flags.endpoints, flags))
  const lines = letters.map(({ request: { payload, ...request }, ...line }) => ({
    ...line,
    request: payload === undefined ? request : { ...request, payload: jsonOfValue(payload) },
  }))
  type Line = (typeof lines)[number]
  const payloadOf = ({ request }: Line): string | null =>
    'payload' in request ? JSON.stringify(request.payload) : null
  printListing<Line>(form, {
    name: 'letters',
    lines,
    columns: {
      letter: (line) => line.letter,
      session: (line) => line.session,
      state: (line) => (line.alive ? 'live' : 'ended'),
      principal: (line) => line.principal,
      request: (line) => line.request.id,
      type: (line) => line.request.type,
      attempts: (line) => line.request.attempt,
      dead: (line) => timeOf(line.deadMs),
      ...(flags.payloads ? { payload: payloadOf } : {}),
    },
  })
  if (more) say(`There are more than these ${letters.length}; --limit shows more of them.`)
}
