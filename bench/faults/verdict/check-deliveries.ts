import { checkServerRequests } from '../../../src/history/properties/server-requests.ts'
import type { Delivery, JournalEntry, Operation } from '../history.ts'
import type { CheckerVerdict } from './check-history.ts'

/**
 * Whether every session was given the server requests that its commands emitted, each once, in the order of the journal. What a
 * command of unknown outcome has emitted at the end may still be on its way.
 */
export function checkDeliveries(
  operations: readonly Operation[],
  journal: readonly JournalEntry[],
  deliveries: readonly Delivery[],
): readonly CheckerVerdict[] {
  const commands = new Map(operations.map((operation) => [operation.step.id, operation]))
  const emitted = new Map<number, Operation[]>()
  const seen = new Set<string>()
  for (const { id } of journal) {
    const command = commands.get(id)
    // One that is there twice is doubled, which others tell.
    if (command?.step.f !== 'requests.emit' || seen.has(id)) continue
    seen.add(id)
    emitted.set(laneOf(id), [...(emitted.get(laneOf(id)) ?? []), command])
  }
  const lanes = new Set([...emitted.keys(), ...deliveries.map(({ lane }) => lane)])
  return [...lanes].map((lane) => {
    const own = deliveries.filter((delivery) => delivery.lane === lane)
    const events = own.map(
      ({ serverRequestId, told }) => ({ kind: 'delivered', id: serverRequestId, content: told }) as const,
    )
    const due = dueOf(emitted.get(lane) ?? [], new Set(own.map(({ told }) => told)).size)
    return { checker: `server requests of lane ${lane}`, verdict: checkServerRequests(events, due) }
  })
}

/** Those that must have come, and those that have. */
function dueOf(emitted: readonly Operation[], came: number): string[] {
  const last = emitted.findLastIndex(({ type }) => type !== 'info')
  return emitted.slice(0, Math.max(last + 1, came)).map(({ step }) => step.id)
}

/** Ids of commands begin with their lane. */
function laneOf(id: string): number {
  return Number(id.slice(0, id.indexOf(':')))
}
