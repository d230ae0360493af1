import { describe, expect, test } from 'vitest'
import * as machines from 'holdfast/machines'
import type { MachineLine } from '../../../src/session/machine-report.ts'
import { CLIENT, PHONE, PRICE, THERAPIST, World } from '../payments/world.ts'
import { A, World as Dialogues } from '../session/world.ts'
import { A as ANNE, B as BERT, World as Gates } from '../gates/world.ts'

/** The functions of domain.md §0.10 that belong to the three machines; those of the other two are planned. */
const FUNCTIONS = [
  'paymentTransition',
  'sessionTransition',
  'videoTransition',
  'crossSync',
  'forbiddenCode',
  'refundPct',
  'refundAmount',
  'midSessionPct',
  'joinCheck',
  'retrievalVerdict',
  'gateValues',
  'displayStatus',
]

describe('domain.md §0.10 pure functions', () => {
  test.each(FUNCTIONS)('domain.md §0.10 %s is exported from holdfast/machines', (name) => {
    expect((machines as { readonly [name: string]: unknown })[name]).toBeTypeOf('function')
  })
})

describe('domain.md §0.11 what every machine also has', () => {
  const linesOf = (world: World): MachineLine[] => world.log.reports.filter((report) => report.kind === 'line')

  test('domain.md §0.11 transition log: payments says of every step entity, id, from, to, event, by and index', () => {
    const world = new World()
    const id = world.booked('approved')
    const seen = linesOf(world).length
    world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })
    const index = world.log.entries.length
    const about = { machine: 'payments', id, event: 'initiatePayment', by: CLIENT, index }
    expect(linesOf(world).slice(seen)).toMatchObject([
      { message: 'transition', fields: { ...about, entity: 'payment', from: 'pending', to: 'initiated' } },
      { message: 'transition', fields: { ...about, entity: 'session', from: 'approved', to: 'payment_pending' } },
    ])
    // As many as the audit trail has steps, and none of a refusal.
    world.refused(THERAPIST, 'approve', { id, expectPriceMinor: PRICE })
    const steps = world.audit(id).filter(({ entity, from }) => entity !== 'form' && from !== null)
    expect(linesOf(world).filter(({ message }) => message === 'transition')).toHaveLength(steps.length)
  })

  test('domain.md §0.11 transition log: a duplicate says its key and the index of the first', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.callback({ attemptId: world.attempt(id) })
    const firstIndex = world.log.entries.length
    world.callback({ attemptId: world.attempt(id) })
    expect(linesOf(world).at(-1)).toMatchObject({ message: 'duplicate', fields: { key: 'tx-1', firstIndex } })
  })

  test('domain.md §0.11 transition log: session and gates say theirs', () => {
    const dialogues = new Dialogues()
    dialogues.dialogueIn('PAUSED')
    const moves = dialogues.harness.lines.filter(({ message }) => message === 'transition').map(({ fields }) => fields)
    expect(moves.map((fields) => `${fields['from']}→${fields['to']}`)).toEqual([
      'null→CREATED',
      'CREATED→INVITED',
      'INVITED→ACTIVE',
      'ACTIVE→PAUSED',
    ])
    expect(moves.at(-1)).toMatchObject({ machine: 'session', id: 'ses-1', event: 'pause', by: A })
    const gates = new Gates().both(1)
    const stages = gates.harness.lines.filter(({ fields }) => fields['machine'] === 'gates').map(({ fields }) => fields)
    expect(stages.filter(({ to }) => to === 1).map(({ by }) => by)).toEqual([ANNE, BERT])
  })
})
