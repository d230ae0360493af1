import { fetchSession, type SessionDetails } from '../../client/operator/sessions.ts'
import { jsonOfValue } from '../machines/json-value.ts'
import type { ListingForm } from '../terminal/listing.ts'
import { print, printJson, table } from '../terminal/output.ts'
import { asked } from './asked.ts'
import { plainSession } from './session-list.ts'

/** Which session `holdfast session show` shows, and whether with what its requests carry. */
export interface SessionShowFlags {
  readonly endpoints: readonly string[]
  readonly id: string
  readonly payloads: boolean
}

/** `holdfast session show`: one object in each form. */
export async function showSession(flags: SessionShowFlags, form: ListingForm): Promise<void> {
  const found = await asked(fetchSession(flags.endpoints, flags))
  const { session, waiting, ended, endedMs, evicted, note, by } = found
  if (session === null) {
    if (form !== 'table') return printJson({ id: flags.id, state: ended, endedMs, evicted, note, by })
    const how = ended === 'closed' ? 'was closed' : evicted ? 'was expired by an operator' : ended
    return print(`${flags.id} has ended: it ${how} at ${timeOf(endedMs)}${note === '' ? '' : ` (${note})`}`)
  }
  const requests = waiting.map(({ payload, ...request }) =>
    payload === undefined ? request : { ...request, payload: jsonOfValue(payload) },
  )
  if (form !== 'table') {
    const { ended: _ended, endedMs: _endedMs, evicted: _evicted, note: _note, ...rest } = found
    return printJson({ ...rest, ...plainSession(session), by, waiting: requests })
  }
  print(table(factsOf(found, plainSession(session))))
  if (requests.length === 0) return
  const header = ['request', 'type', 'entry', 'made', 'attempt', 'bytes', ...(flags.payloads ? ['payload'] : [])]
  const rows = requests.map((request) => [
    String(request.id),
    request.type,
    String(request.createdIndex),
    timeOf(request.createdMs),
    `${request.attempt} of ${request.attemptsMax}`,
    String(request.bytes),
    ...('payload' in request ? [JSON.stringify(request.payload)] : []),
  ])
  print(`\n${table([header, ...rows])}`)
}

function factsOf(found: SessionDetails, line: ReturnType<typeof plainSession>): string[][] {
  const { floor, ...acks } = { floor: found.lowestPendingRequestId, ...found }
  return [
    ['session', line.id],
    ['state', `${line.state}${found.epoch === 0 ? '' : `, last attached by entry ${found.epoch}`}`],
    ['client', line.clientName || '-'],
    ['principal', line.principal],
    ['roles', line.roles.join(', ') || '-'],
    ['capabilities', JSON.stringify(line.capabilities)],
    ['opened', `by entry ${line.openedIndex}`],
    ['expires', `in ${Math.ceil(line.expiresInMs / 1000)} s, timeout ${line.timeoutMs / 1000} s`],
    ['commands', `${found.ordered ? 'ordered' : 'in any order'}, last ${line.lastRequestId}, lowest pending ${floor}`],
    ['responses kept', `${found.cachedResponses}, ${found.cachedBytes} bytes`],
    ['server requests', `${line.waiting} wait, last ${acks.lastServerRequestId}, acknowledged ${acks.acknowledged}`],
    ['sent again', found.nextRetryMs === 0 ? '-' : timeOf(found.nextRetryMs)],
    ['tasks leased', String(found.leasedTasks)],
    ['told by', `${found.by.node}, which has applied ${found.by.appliedIndex}`],
  ]
}

/** The log's clock for a person. */
export function timeOf(unixMs: number): string {
  return new Date(unixMs).toISOString()
}
