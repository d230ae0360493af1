import { z } from 'zod'
import type { ClientSession } from '../../src/client/index.ts'
import { watchNode } from '../../src/client/operator/watch.ts'

/** What became of timers: each once, never, or more than once. */
export interface Fates {
  readonly fired: number
  readonly lost: number
  readonly doubled: number
}

const PAGE = z.object({
  entities: z.array(z.object({ id: z.string(), value: z.unknown() })),
  next: z.string().nullable(),
})
const PAGE_MAX = 1_000

/** Looks at every instance. Rejects when there are not so many. */
export async function fatesOf(reader: ClientSession, instances: number): Promise<Fates> {
  const counts = { fired: 0, lost: 0, doubled: 0 }
  for (let after: string | null = ''; after !== null; ) {
    const page: z.infer<typeof PAGE> = PAGE.parse(await answer(reader, 'list', { after, limit: PAGE_MAX }))
    const leases = page.entities.filter(({ id }) => id.startsWith('lease-'))
    for (const { value } of leases) {
      if (value === 'lapsed') counts.fired += 1
      else if (value === 'lapsedAgain') counts.doubled += 1
      else counts.lost += 1
    }
    after = leases.length < page.entities.length ? null : page.next
  }
  const { fired, lost, doubled } = counts
  if (fired + lost + doubled !== instances)
    throw new Error(`there are ${fired + lost + doubled} instances of ${instances}`)
  return counts
}

/** Whether the timer of an instance has not fired yet. */
export async function isHeld(reader: ClientSession, id: string): Promise<boolean> {
  const { value } = z.object({ value: z.unknown() }).parse(await answer(reader, 'state', id))
  return value !== 'lapsed' && value !== 'lapsedAgain'
}

async function answer(reader: ClientSession, query: string, input: string | { after: string; limit: number }) {
  const outcome = await reader.query('leases', query, input)
  if (outcome.kind === 'ok') return outcome.value
  throw new Error(`${query} was answered ${JSON.stringify(outcome)}`)
}

/** The entry that fires timers: the log's time in it, and how long the node worked on it (null: it was not seen to). */
export interface FiringEntry {
  readonly index: number
  readonly now: number
  readonly ms: number | null
}

/** Follows a node from an entry on to the first whose time is at or after `dueAt`; null when the node is lost before. */
export async function firingAt(
  endpoint: string,
  { since, dueAt }: { readonly since: number; readonly dueAt: number },
): Promise<FiringEntry | null> {
  let found: FiringEntry | null = null
  await watchNode(endpoint, {
    machines: [],
    sinceIndex: since,
    limit: 0,
    onOpen: () => undefined,
    onLine: ({ index, timeMs, outcome, applyMs }) => {
      if (timeMs < dueAt) return
      found = { index, now: timeMs, ms: outcome === '' ? null : applyMs }
      // Ends the stream.
      throw new Error('found')
    },
  }).catch(() => undefined)
  return found
}
