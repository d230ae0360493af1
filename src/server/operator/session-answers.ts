import type { z } from 'zod'
import type { SessionNumbers } from '../../codec/entry/payload.ts'
import { encodePayload } from '../../codec/entry/payload-codec.ts'
import { encodeWalked } from '../../codec/value/encode-walked.ts'
import type { Value } from '../../codec/value/value.ts'
import type { SessionGateway } from '../../gateway/session-gateway.ts'
import type { RaftNode } from '../../node/api.ts'
import type { HistoryEntry } from '../../node/inspect/session-history.ts'
import type { SessionOverview } from '../../session/state-machine.ts'
import type { ServerRequest } from '../../session/user-machine.ts'
import { OperatorProposal } from './operator-proposal.ts'
import {
  type evictSessionRequest,
  PAGE_LINES_MAX,
  type sessionHistoryRequest,
  type sessionRequest,
  type sessionsRequest,
} from './operator-requests.ts'
import { KIND_SINCE } from '../../session/own-versions.ts'
import { refuseNotYet } from './own-version.ts'
import type { OperatorReply } from './operator-reply.ts'

const NO_BYTES = Buffer.alloc(0)

/** Of the sessions looked at those that are wanted; where the next page begins. */
export function answerSessions(
  { node }: SessionGateway,
  { afterIndex, limit, machine }: z.infer<typeof sessionsRequest>,
  reply: OperatorReply,
): void {
  const page = node.machine.sessionsAfter(afterIndex, limit)
  const wanted = machine === '' ? page : page.filter(({ index }) => waitsForMachine(node, index, machine))
  const last = page.length < limit ? null : (page.at(-1)?.index ?? null)
  reply.answer({ sessions: wanted.map((session) => lineOf(node, session)), nextAfterIndex: last ?? 0 })
}

export function answerSession(
  { node }: SessionGateway,
  { id, payloads }: z.infer<typeof sessionRequest>,
  reply: OperatorReply,
): void {
  const { machine } = node
  const session = machine.sessionOverview(id)
  if (session === null) {
    const end = machine.sessionEnd(id)
    if (end === null) return reply.refuse('SESSION_UNKNOWN', { id: textOf(id) })
    const { reason: ended, at: endedMs, note } = end
    return reply.answer({ ended, endedMs, evicted: note !== undefined, note: note ?? '' })
  }
  const { epoch, ordered, floor, cached, cachedBytes, lastServerRequestId, acknowledged, leases } = session
  reply.answer({
    session: lineOf(node, session),
    epoch,
    ordered,
    lowestPendingRequestId: floor,
    cachedResponses: cached,
    cachedBytes,
    lastServerRequestId,
    acknowledged,
    leasedTasks: leases,
    nextRetryMs: machine.nextRetryDue([session.index]) ?? 0,
    waiting: machine.outbox(session.index, 0, PAGE_LINES_MAX).map((request) => waitingOf(request, payloads)),
  })
}

/** Answers once the session has ended: by this call, or before it. */
export function answerEvictSession(
  { node }: SessionGateway,
  { id, note }: z.infer<typeof evictSessionRequest>,
  reply: OperatorReply,
): void {
  const { machine } = node
  if (refuseNotYet(node, KIND_SINCE.EvictSession, reply)) return
  const proposal = new OperatorProposal(node, reply, (applied) => {
    const end = machine.sessionEnd(id)
    if (end === null) return reply.refuse('SESSION_UNKNOWN', { id: textOf(id) })
    reply.answer({ now: applied.kind !== 'refused', ended: end.reason, endedMs: end.at })
  })
  node.submit('EvictSession', encodePayload('EvictSession', { ...id, note }), proposal)
}

export function answerSessionHistory(
  { node }: SessionGateway,
  { id, fromIndex, limit, payloads }: z.infer<typeof sessionHistoryRequest>,
  reply: OperatorReply,
): void {
  const { machine, inspection } = node
  if (machine.sessionOverview(id) === null && machine.sessionEnd(id) === null && !mayHaveBeen(node, id)) {
    return reply.refuse('SESSION_UNKNOWN', { id: textOf(id) })
  }
  inspection.history.page({ session: id, from: fromIndex, limit }, (page) => {
    if (typeof page === 'string') return reply.refuse(page)
    reply.answer({
      entries: page.entries.map((entry) => historyLine(node, entry, { session: id.index, payloads })),
      nextIndex: page.next ?? 0,
      firstKeptIndex: page.firstKept,
    })
  })
}

/** Of a session without a tombstone the log may still tell, as long as its numbers are of this group and in the log. */
function mayHaveBeen({ group, incarnation, machine }: RaftNode, id: SessionNumbers): boolean {
  return id.group === group && id.incarnation <= incarnation && id.index >= 1 && id.index <= machine.appliedIndex
}

function lineOf(node: RaftNode, session: SessionOverview): object {
  const { info, index } = session
  return {
    id: info.id,
    openedIndex: index,
    attached: node.attachedSessions.has(index),
    clientName: info.name,
    principal: info.principal,
    roles: info.roles,
    capabilities: encoded(info.capabilities),
    timeoutMs: session.timeoutMs,
    expiresInMs: Math.max(0, session.dueAt - node.inspection.leaseNow()),
    lastRequestId: session.highest,
    waiting: session.waiting,
    waitingBytes: session.waitingBytes,
  }
}

/** Types of server requests begin with the name of their machine. */
function waitsForMachine({ machine }: RaftNode, session: number, name: string): boolean {
  return machine.outbox(session, 0, Number.MAX_SAFE_INTEGER).some(({ type }) => type.startsWith(`${name}.`))
}

/** A server request as a message, with what it carries if `payloads`. */
export function waitingOf(request: ServerRequest, payloads: boolean): object {
  return {
    id: request.serverRequestId,
    type: request.type,
    createdIndex: request.createdIndex,
    createdMs: request.createdAt,
    attempt: request.attempt,
    attemptsMax: request.attemptsMax,
    deadlineMs: request.deadlineAt ?? 0,
    bytes: request.bytes,
    payload: payloads ? encoded(request.payload) : NO_BYTES,
  }
}

function historyLine(
  { machine }: RaftNode,
  { index, term, now, kind, request, acknowledged }: HistoryEntry,
  asked: { readonly session: number; readonly payloads: boolean },
): object {
  const line = { index, term, timeMs: now, kind, acknowledged: acknowledged ?? 0 }
  if (request === null) return line
  const { requestId, command, input } = request
  const cached = machine.cached(asked.session, requestId)
  const known =
    cached === null
      ? {}
      : cached.entryIndex !== index
        ? { outcome: 'copy', executedIndex: cached.entryIndex }
        : cached.outcome.kind === 'value'
          ? { outcome: 'ok' }
          : { outcome: 'rejected', code: cached.outcome.code }
  return { ...line, machine: request.machine, command, requestId, ...known, input: asked.payloads ? input : NO_BYTES }
}

const textOf = ({ group, incarnation, index }: SessionNumbers): string => `${group}/${incarnation}/${index}`

/** A copy: the encoder's own bytes are gone with the next value. */
const encoded = (value: Value): Buffer => Buffer.from(encodeWalked(value))
