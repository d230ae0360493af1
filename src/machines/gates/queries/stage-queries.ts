import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { isClosed } from '../../session/facts/states.ts'
import { viewedPlaceOf, type ViewedPlace } from '../change/access.ts'
import { sid } from '../facts/fields.ts'
import { gateFactsOf, type GateFacts, type PersonFacts } from '../facts/gate-facts.ts'
import { factTables, type GatesQueryContext, type GatesView } from '../facts/gates-schema.ts'
import { STAGES, type Stage } from '../facts/stages.ts'
import { ownPartsDone, shownGateValues } from '../rules/gate-values.ts'
import { readVerdict } from '../rules/resources.ts'

/** How far the two are (domain.md §2.8): one's own keys in full, of the partner the stage alone. */

const stage = z.int().min(0).max(4)
const rowStatus = z.enum(['NOT_STARTED', 'IN_PROGRESS', 'GATE_PENDING', 'COMPLETED'])
const gates = z.record(z.string(), z.boolean())

/** Where both stand; `online`: a client of the partner is here now. */
export const progress = query(
  {
    input: sid,
    output: z.object({
      own: z.object({ stage: stage.nullable(), status: rowStatus, gatesSatisfied: gates }),
      partner: z.object({ stage: stage.nullable(), status: rowStatus, online: z.boolean() }),
    }),
  },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    const facts = gateFactsOf(factTables(context), input.sid, [place.user, place.partner])
    const [own, partner] = facts.people
    return {
      own: { ...positionOf(facts, own), gatesSatisfied: keysOf(place, facts, place.stage) },
      partner: { ...positionOf(facts, partner), online: isOpen(place) && (view.online.get(place.partner) ?? 0) > 0 },
    }
  },
)

/** After the end it is nobody's business who is there. */
const isOpen = ({ dialogue }: ViewedPlace): boolean => !isClosed(dialogue.status)

function positionOf(
  facts: GateFacts,
  person: PersonFacts,
): { stage: Stage | null; status: z.output<typeof rowStatus> } {
  const { stage: at, completed } = person
  if (at === null) return { stage: at, status: 'NOT_STARTED' }
  if (completed) return { stage: at, status: 'COMPLETED' }
  return { stage: at, status: ownPartsDone(facts, person, at) ? 'GATE_PENDING' : 'IN_PROGRESS' }
}

/** The keys of a stage in the order of the table; those of a completed stage are as they were then, whatever came later. */
function keysOf({ view, sid: dialogue, user }: ViewedPlace, facts: GateFacts, at: z.output<typeof stage>) {
  const entered = STAGES[at] ?? 0
  const frozen = view.stages.get([dialogue, user, at])?.frozenGates ?? null
  if (frozen !== null) return Object.fromEntries(frozen.map((key) => [key, true]))
  return shownGateValues(facts, user, entered)
}

/** The viewer's own keys of a stage that was entered. */
export const gatesOf = query(
  { input: sid.extend({ stage }), output: gates },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    if (input.stage > place.stage) {
      return context.reject('WRONG_STAGE', { required: STAGES.filter((at) => at >= input.stage), actual: place.stage })
    }
    return keysOf(place, gateFactsOf(factTables(context), input.sid, [place.user, place.partner]), input.stage)
  },
)

const signature = z.object({ signed: z.boolean(), signedAt: z.int().nullable() })

/** Who has signed; of the partner one learns it by signing. */
export const compactStatus = query(
  { input: sid, output: z.object({ own: signature, partner: signature }) },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    const signatureOf = (user: string): z.output<typeof signature> => {
      const signedAt = view.people.get([input.sid, user])?.signedAt ?? null
      return { signed: signedAt !== null, signedAt }
    }
    const own = signatureOf(place.user)
    const seen = readVerdict('compactSignature', {
      of: 'partner',
      stage: place.stage,
      holds: own.signed ? ['viewerSigned'] : [],
    })
    return { own, partner: seen ? signatureOf(place.partner) : { signed: false, signedAt: null } }
  },
)
