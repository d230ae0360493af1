import { PAYMENTS_INPUTS, PAYMENTS_WAYS } from '../lists/payments-lists.ts'
import { CONCIERGE_INPUTS, CONCIERGE_WAYS } from '../lists/concierge-lists.ts'
import { CANONICAL, EXCHANGE_INPUTS, WAYS } from '../lists/exchange-ways.ts'
import { GATES_INPUTS, LAST_STAGE, thirdStage } from '../lists/gates-lists.ts'
import { stepOf } from '../lists/machine-lists.ts'
import { EARLY_ENDS, INPUTS as SESSION_INPUTS } from '../lists/session-lists.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import type { CheckStep } from '../../../src/testing/index.ts'
import { C7, D8, EVENT, STANDARD } from '../concierge/world.ts'
import { CLIENT, THERAPIST, WORKER } from '../payments/world.ts'
import { A, ADMIN, ANALYST, B, C, DAY, SID } from '../reconciler/world.ts'
import { COURIER } from '../session/world.ts'

/** What lists of commands over all machines are drawn from: the same two people are everywhere. */

/** Who takes part, with the roles of each. */
export const PRINCIPALS: { readonly [principal: string]: readonly string[] } = {
  [A]: [],
  [B]: [],
  [C]: [],
  [ADMIN]: [],
  [ANALYST]: ['analysis', 'facilitator'],
  [COURIER]: ['delivery'],
  [WORKER]: ['payments'],
  [STANDARD]: ['agent:standard'],
  [EVENT]: ['agent:event'],
}

/** Who that is who has another name in the lists of one machine. */
const SAME: { readonly [principal: string]: string } = { [CLIENT]: A, [THERAPIST]: B, [C7]: A, [D8]: B }

/** Commands of machines that stand for others in the lists of one machine. */
const STAND_INS = ['jump', 'session.turn', 'reconciler.put', 'gates.move']

type Inputs = { readonly [name: string]: readonly Value[] }

/** Inputs by `machine.command`, and results by kind of task: each machine's own, and none of a stand-in. */
export const COMPOSED_INPUTS: Inputs = merged([
  of('session', SESSION_INPUTS),
  of('gates', GATES_INPUTS),
  of('reconciler', EXCHANGE_INPUTS),
  of('payments', PAYMENTS_INPUTS),
  of('concierge', CONCIERGE_INPUTS),
  {
    'counter.increment': [{ name: SID }],
    'payment.refund': [{ providerRef: 'B2C' }],
  },
])

function of(machine: string, inputs: Inputs): Inputs {
  const named = Object.entries(inputs).flatMap(([name, values]): [string, readonly Value[]][] => {
    if (STAND_INS.includes(name)) return []
    return [[name.includes('.') ? name : `${machine}.${name}`, renamed(values) as readonly Value[]]]
  })
  return Object.fromEntries(named)
}

function merged(all: readonly Inputs[]): Inputs {
  const together = new Map<string, readonly Value[]>()
  for (const inputs of all) {
    for (const [name, values] of Object.entries(inputs)) together.set(name, [...(together.get(name) ?? []), ...values])
  }
  return Object.fromEntries(together)
}

/** The steps of one machine's lists as steps among all machines. */
function among(machine: string, steps: readonly CheckStep[]): readonly CheckStep[] {
  const all = renamed(steps) as readonly CheckStep[]
  return all.map((step) => (step.do === 'command' ? { machine, ...step } : step))
}

function renamed(value: unknown): unknown {
  if (typeof value === 'string') return SAME[value] ?? value
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(renamed)
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, renamed(member)]))
}

const inGates = (by: string, command: string, fields: { readonly [field: string]: Value }): CheckStep =>
  stepOf(by, command, { sid: SID, ...fields }, 'gates')
const inSession = (by: string, command: string): CheckStep => stepOf(by, command, { sid: SID }, 'session')
const advance = (ms: number): CheckStep => ({ do: 'advance', ms })

/** From the first word to what was agreed: two attempts have the first two consents. */
const THIRD = [...among('reconciler', CANONICAL), ...among('gates', thirdStage(3))]
const LAST = [
  ...THIRD,
  ...[A, B].map((user) => inGates(user, 'advanceStage', { fromStage: 3, toStage: 4 })),
  inGates(B, 'requestSuggestions', {}),
]
const WHOLE = [...LAST, ...among('gates', LAST_STAGE), inSession(A, 'resolve')]

const EXCHANGES = WAYS.map((way) => among('reconciler', way))
const revoke = (by: string, consent: number): CheckStep => inGates(by, 'revokeConsent', { consentId: `con-${consent}` })
const pause = [inSession(B, 'pause'), advance(2 * DAY)]
const withdraw = inSession(B, 'withdraw')

/** Ways in which a worker fails, up to there: a guess is being analysed. */
const ANALYZING = EXCHANGES.flatMap((way) => {
  const failed = way.findIndex((step) => step.do === 'fail')
  return failed < 0 ? [] : [way.slice(0, failed)]
})

/** Ends and pauses in the midst of it, with something taken back in them. */
const CUT: readonly (readonly CheckStep[])[] = [...EXCHANGES, ...ANALYZING, THIRD, LAST].flatMap((way) => [
  [...way, withdraw, revoke(A, 1)],
  [...way, ...pause, revoke(A, 1), inSession(B, 'resume')],
  [...way, ...pause, withdraw, revoke(B, 2)],
])

const DIALOGUES = [WHOLE, WHOLE, ...EXCHANGES, ...CUT, ...EARLY_ENDS.map((way) => among('session', way))]
const MONEY = PAYMENTS_WAYS.map((way) => among('payments', way))
const TALKS = CONCIERGE_WAYS.map((way) => among('concierge', way))

/** Each way of a dialogue, with one of money and one of a conversation between its steps. */
export const COMPOSED_WAYS: readonly (readonly CheckStep[])[] = DIALOGUES.map((way, position) =>
  interleaved([way, MONEY[position % MONEY.length] ?? [], TALKS[position % TALKS.length] ?? []]),
)

function interleaved(ways: readonly (readonly CheckStep[])[]): readonly CheckStep[] {
  const longest = Math.max(...ways.map(({ length }) => length))
  return Array.from({ length: longest }, (_, position) => ways.flatMap((way) => way[position] ?? [])).flat()
}

/** A dialogue from the first word to what was agreed, beside a call that is paid and a conversation. */
export const WHOLE_WAY: readonly CheckStep[] = COMPOSED_WAYS[0] ?? []
