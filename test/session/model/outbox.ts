import type { Value } from '../../../src/codec/value/value.ts'
import type { Everything, Session, Waiting } from './types.ts'

/** What outboxes and mailboxes need of the model. */
interface ModelOutboxHost {
  readonly all: Everything
  readonly now: number
  readonly index: number
  readonly limits: { readonly outboxCountMax: number; readonly mailboxMax: number }
  readonly deliver: Set<number>
}

type NewRequest = Pick<Waiting, 'type' | 'payload' | 'droppable' | 'key'> & { to: number; emitted?: number }

export function append(
  host: ModelOutboxHost,
  { to, type, payload, droppable, key, emitted = host.index }: NewRequest,
): void {
  const session = host.all.sessions.get(to)
  if (session === undefined) return
  session.lastId += 1
  while (droppable && session.outbox.length >= host.limits.outboxCountMax) {
    const oldest = session.outbox.find((request) => request.droppable)
    if (oldest === undefined) return
    takeOut(session, oldest)
  }
  const previousId = session.tailId
  session.tailId = session.lastId
  const sent = { attempt: 1, sentAt: host.now }
  session.outbox.push({ id: session.lastId, previousId, type, payload, ...sent, droppable, key, emitted })
  host.deliver.add(to)
}

export function takeOut(session: Session, request: Waiting): void {
  const next = session.outbox[session.outbox.indexOf(request) + 1]
  if (next === undefined) session.tailId = request.previousId
  else next.previousId = request.previousId
  session.outbox = session.outbox.filter((other) => other !== request)
}

export function coalesce(host: ModelOutboxHost, index: number, payload: Value): boolean {
  const session = host.all.sessions.get(index)
  if (session === undefined) return false
  const waiting = session.outbox.find((request) => request.key === 'k')
  if (waiting === undefined && session.outbox.length >= host.limits.outboxCountMax) return false
  if (waiting !== undefined) takeOut(session, waiting)
  append(host, { to: index, type: 'state', payload, droppable: false, key: 'k' })
  return true
}

export function notify(host: ModelOutboxHost, principal: string, topic: string, body: Value): void {
  const box = host.all.mail.get(principal) ?? { waiting: [], seq: 0 }
  host.all.mail.set(principal, box)
  box.seq += 1
  const payload = { topic, body, seq: box.seq }
  const live = [...host.all.sessions.values()].filter((session) => `user:${session.who}` === principal)
  for (const { index } of live) append(host, { to: index, type: 'notification', payload, droppable: true, key: null })
  if (live.length > 0) return
  box.waiting.push(payload)
  while (box.waiting.length > host.limits.mailboxMax) box.waiting.shift()
}
