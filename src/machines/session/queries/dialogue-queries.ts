import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import type { Parsed } from '../../../machine/define/schema.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { gateFactsOf, type GateFacts, type PersonFacts } from '../../gates/facts/gate-facts.ts'
import { factTables } from '../../gates/facts/gates-schema.ts'
import { ownPartsDone, shownGateValues } from '../../gates/rules/gate-values.ts'
import { otherOf, visibleDialogue } from '../change/access.ts'
import { nameOf } from '../change/invite.ts'
import { showDialogue, shownDialogue } from '../change/shown.ts'
import { AUDIT_MAX, LIST_MAX, LIST_SCAN_MAX } from '../facts/dialogue-bounds.ts'
import { id, sid } from '../facts/fields.ts'
import { auditRow, invitation as invitationRow, type Dialogue } from '../facts/rows.ts'
import type { SessionQueryContext, SessionView } from '../facts/session-schema.ts'
import { DIALOGUE_STATUSES } from '../facts/states.ts'
import { displayStatus, waitingOn } from '../rules/waiting.ts'

/** What can be asked of dialogues (domain.md §1.7), in every status: a closed one is there to be read. */

const rowStatus = z.enum(['NOT_STARTED', 'IN_PROGRESS', 'GATE_PENDING', 'COMPLETED'])
const position = z.object({ stage: z.int().nullable(), status: rowStatus })

/** One dialogue of the viewer's: own gates in full, of the partner the stage alone. */
export const get = query(
  {
    input: sid,
    output: shownDialogue.extend({
      displayStatus: z.enum([...DIALOGUE_STATUSES, 'WAITING']),
      /** Keys that the viewer waits for, having done everything alone. */
      waitingOn: z.array(z.string()),
      own: position.extend({ gates: z.record(z.string(), z.boolean()) }).nullable(),
      partner: position.nullable(),
    }),
  },
  (view: SessionView, input, context: SessionQueryContext) => {
    const found = visibleDialogue(view, context, input.sid)
    if (isRejection(found)) return found
    const { dialogue, viewer } = found
    const core = showDialogue(dialogue, viewer)
    const partner = otherOf(dialogue, viewer)
    if (partner === null) return { ...core, displayStatus: dialogue.status, waitingOn: [], own: null, partner: null }
    const facts = gateFactsOf(factTables(context), dialogue.id, [viewer, partner])
    return {
      ...core,
      displayStatus: displayStatus(dialogue.status, facts),
      waitingOn: dialogue.status === 'ACTIVE' ? [...waitingOn(facts, viewer)] : [],
      ...positionsOf(facts),
    }
  },
)

/** The viewer's is the first of the facts. */
function positionsOf(facts: GateFacts) {
  const [own, partner] = facts.people
  const gates = own.stage === null ? {} : shownGateValues(facts, own.user, own.stage)
  return { own: { ...positionOf(facts, own), gates }, partner: positionOf(facts, partner) }
}

function positionOf(facts: GateFacts, person: PersonFacts): z.output<typeof position> {
  const { stage, completed } = person
  if (stage === null) return { stage, status: 'NOT_STARTED' }
  if (completed) return { stage, status: 'COMPLETED' }
  return { stage, status: ownPartsDone(facts, person, stage) ? 'GATE_PENDING' : 'IN_PROGRESS' }
}

/** The viewer's dialogues, the latest first; `cursor` is where the next page begins. */
export const list = query(
  {
    input: z.object({
      status: z.enum(DIALOGUE_STATUSES).optional(),
      archived: z.boolean().optional(),
      limit: z.int().min(1).max(LIST_MAX).default(20),
      cursor: z.int().min(1).optional(),
    }),
    output: z.object({ sessions: z.array(shownDialogue), cursor: z.int().nullable() }),
  },
  (view: SessionView, input, context: SessionQueryContext) => {
    const viewer = context.session?.principal
    if (viewer === undefined) return context.reject('UNAUTHENTICATED')
    const rows = view.dialoguesOf.range({
      prefix: [viewer],
      ...(input.cursor === undefined ? {} : { to: [viewer, input.cursor] as const }),
      limit: LIST_SCAN_MAX,
      reverse: true,
    })
    const sessions: Parsed<typeof shownDialogue>[] = []
    let looked = 0
    let cursor: number | null = null
    for (const [[, number], sid] of rows) {
      looked += 1
      cursor = number
      const dialogue = view.dialogues.get(sid)
      if (dialogue !== undefined && isWanted(dialogue, viewer, input)) sessions.push(showDialogue(dialogue, viewer))
      if (sessions.length === input.limit) break
    }
    const all = looked === rows.length && looked < LIST_SCAN_MAX && sessions.length < input.limit
    return { sessions, cursor: all ? null : cursor }
  },
)

function isWanted(
  { status, archivedBy }: Dialogue,
  viewer: string,
  wanted: { readonly status?: string | undefined; readonly archived?: boolean | undefined },
): boolean {
  if (wanted.status !== undefined && wanted.status !== status) return false
  return wanted.archived === undefined || wanted.archived === archivedBy.includes(viewer)
}

/** What whoever holds an invitation may know before deciding: who invites, and until when. */
export const invitation = query(
  {
    input: z.object({ invitationId: id, token: z.string().max(128) }),
    output: z.object({
      inviterName: z.string(),
      status: invitationRow.shape.status,
      expiresAt: invitationRow.shape.expiresAt,
    }),
  },
  (view: SessionView, { invitationId, token }, context: SessionQueryContext) => {
    if (context.session === null) return context.reject('UNAUTHENTICATED')
    const sid = view.invitations.get(invitationId)
    const dialogue = sid === undefined ? undefined : view.dialogues.get(sid)
    if (dialogue === undefined || dialogue.invitation.token !== token)
      return context.reject('NOT_FOUND', { invitationId })
    const { status, expiresAt } = dialogue.invitation
    return { inviterName: nameOf(dialogue.creatorId), status, expiresAt }
  },
)

/** Changes of a dialogue's status, the oldest first, from `from` on. Of the partner's client nobody learns. */
export const audit = query(
  {
    input: sid.extend({ from: z.int().min(1).default(1) }),
    output: z.array(auditRow.extend({ seq: z.int(), sid: z.string() })),
  },
  (view: SessionView, input, context: SessionQueryContext) => {
    const found = visibleDialogue(view, context, input.sid)
    if (isRejection(found)) return found
    const rows = view.audit.range({ prefix: [input.sid], from: [input.sid, input.from], limit: AUDIT_MAX })
    return rows.map(([[sid, seq], { session, ...record }]) => {
      return { seq, sid, ...record, session: record.by === found.viewer ? session : null }
    })
  },
)
