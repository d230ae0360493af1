import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Value } from '../../../src/codec/value/value.ts'
import { defineMachine, type MachineDefinition, on, table } from '../../../src/machine/index.ts'
import { gates, gatesEvents, session, sessionEvents } from '../../../src/machines/index.ts'
import { machineHarness } from '../../../src/testing/index.ts'
import { reconciler } from '../gates/world.ts'

const A = 'user:a'
const B = 'user:b'
const SEED = '0123456789abcdef0123456789abcdef'
const DAY = 86_400_000

const line = z.object({ event: z.string(), payload: z.unknown() })

interface Context {
  readonly state: { readonly heard: { count(): number; set(key: number, row: z.output<typeof line>): void } }
}

const write = (event: string) => (ctx: Context, payload: unknown) =>
  ctx.state.heard.set(ctx.state.heard.count(), { event, payload })

/** Writes down every domain event of the two machines. */
const scribe = defineMachine(
  'scribe',
  { version: 1, state: { heard: table(z.int(), line) } },
  {
    commands: {},
    on: [
      ...(['SessionActivated', 'SessionPaused', 'SessionResumed', 'SessionClosed'] as const).map((event) =>
        on(sessionEvents, event, write(event)),
      ),
      ...(['FeelHeardConfirmed', 'EmpathyConsentRevoked', 'StageEntered'] as const).map((event) =>
        on(gatesEvents, event, write(event)),
      ),
    ],
  },
)

/** A dialogue of two, both at stage 0, and what was said of it. */
function dialogue() {
  const machines: readonly MachineDefinition[] = [session, gates, reconciler, scribe]
  const harness = machineHarness(machines, { guard: false })
  const people = new Map([A, B].map((principal) => [principal, harness.session(principal)]))
  const send = (by: string, machine: string, command: string, input: { readonly [field: string]: Value } = {}) => {
    const outcome = people.get(by)?.execute(machine, command, { sid: 'ses-1', ...input })
    if (outcome?.kind !== 'ok') throw new Error(`${command}: ${JSON.stringify(outcome)}`)
    return outcome.value
  }
  const invitee = { kind: 'email', ref: 'b@x.io' }
  const created = people.get(A)?.execute('session', 'create', { invitee, tokenSeed: SEED, sendNow: true })
  const accepted = people
    .get(B)
    ?.execute('session', 'acceptInvitation', { invitationId: 'inv-1', token: `inv-1-${SEED}` })
  expect([created?.kind, accepted?.kind]).toEqual(['ok', 'ok'])
  const rows = (machine: string, name: string): readonly (readonly [unknown, unknown])[] =>
    harness.table(machine as never, name as never) as never
  const heard = (event: string) =>
    rows('scribe', 'heard')
      .map(([, row]) => row as z.output<typeof line>)
      .filter((row) => row.event === event)
      .map(({ payload }) => payload)
  return { harness, send, rows, heard }
}

function toStage(world: ReturnType<typeof dialogue>, stage: number): void {
  const { send } = world
  for (const user of [A, B]) send(user, 'gates', 'signCompact', { agreed: true })
  for (let from = 0; from < stage; from += 1) {
    if (from === 1) for (const user of [A, B]) send(user, 'gates', 'confirmFeelHeard', { confirmed: true })
    for (const user of [A, B]) send(user, 'gates', 'advanceStage', { fromStage: from, toStage: from + 1 })
  }
}

describe('domain.md §0.9 domain events', () => {
  test('domain.md §0.9 SessionActivated{sid}: gates makes two rows at stage 0, in the entry that accepted', () => {
    const { heard, rows } = dialogue()
    expect(heard('SessionActivated')).toEqual([{ sid: 'ses-1' }])
    expect(rows('gates', 'stages').map(([key]) => key)).toEqual([
      ['ses-1', A, 0],
      ['ses-1', B, 0],
    ])
  })

  test('domain.md §0.9 SessionPaused{sid} / SessionResumed{sid, pausedFor}: how long the pause was', () => {
    const { harness, send, heard } = dialogue()
    send(A, 'session', 'pause')
    expect(heard('SessionPaused')).toEqual([{ sid: 'ses-1' }])
    expect(heard('SessionResumed')).toEqual([])
    harness.advance(3 * DAY)
    send(A, 'session', 'resume')
    expect(heard('SessionResumed')).toEqual([{ sid: 'ses-1', pausedFor: 3 * DAY }])
  })

  test('domain.md §0.9 SessionClosed{sid, status}: told with the status; rows of an abandoned dialogue stay as they were', () => {
    const world = dialogue()
    toStage(world, 1)
    const before = world.rows('gates', 'stages')
    world.send(A, 'session', 'withdraw')
    expect(world.heard('SessionClosed')).toEqual([{ sid: 'ses-1', status: 'ABANDONED' }])
    expect(world.rows('gates', 'stages')).toEqual(before)
  })

  test('domain.md §0.9 FeelHeardConfirmed{sid, user}: once, by whom it was said', () => {
    const world = dialogue()
    toStage(world, 1)
    world.send(A, 'gates', 'confirmFeelHeard', { confirmed: false })
    expect(world.heard('FeelHeardConfirmed')).toEqual([])
    for (let again = 0; again < 2; again += 1) world.send(A, 'gates', 'confirmFeelHeard', { confirmed: true })
    expect(world.heard('FeelHeardConfirmed')).toEqual([{ sid: 'ses-1', user: A }])
  })

  test('domain.md §0.9 StageEntered{sid, user, stage}: for each who goes on, and for nobody at the start', () => {
    const world = dialogue()
    toStage(world, 2)
    expect(world.heard('StageEntered')).toEqual([
      { sid: 'ses-1', user: A, stage: 1 },
      { sid: 'ses-1', user: B, stage: 1 },
      { sid: 'ses-1', user: A, stage: 2 },
      { sid: 'ses-1', user: B, stage: 2 },
    ])
  })
})
