import { describe, expect, test } from 'vitest'
import type { Value } from '../../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, callbackOf, STRANGER, THERAPIST, WORKER, World } from '../world.ts'
import { issuersOf, nameOf, STATES, TABLE } from './command-table.ts'

type State = (typeof STATES)[number]

/** One world per state for all that is refused there: a refusal changes nothing, and the next one would show it. */
const worlds = new Map<State, { readonly world: World; readonly id: string }>()

function worldIn(state: State): { readonly world: World; readonly id: string } {
  const known = worlds.get(state)
  if (known !== undefined) return known
  const world = new World()
  const made = { world, id: world.booked(state) }
  worlds.set(state, made)
  return made
}

/** The refusal has the code, changes nothing, and leaves one record. */
function refusedIn(
  state: State,
  { row, issuer, code }: { readonly row: (typeof TABLE)[number]; readonly issuer: string; readonly code: string },
): void {
  const { world, id } = worldIn(state)
  const input = row.input(world, id)
  const before = world.view(id)
  const rejectedBefore = world.audit(id, 'rejected').length
  expect(world.refused(issuer, nameOf(row), input)).toMatchObject({ code })
  expect(world.view(id)).toEqual(before)
  const rejected = world.audit(id, 'rejected')
  expect(rejected).toHaveLength(rejectedBefore + 1)
  expect(rejected.at(-1)).toMatchObject({ code, action: nameOf(row), by: issuer, bookingId: id })
}

describe('domain.md §3.4 every command in every state', () => {
  for (const row of TABLE) {
    for (const state of STATES) {
      const expected = row.cells[state]
      const text = typeof expected === 'string' ? expected : JSON.stringify(expected)
      test(`domain.md §3.4 ${row.command} in ${state}: ${text}`, () => {
        for (const issuer of row.issuers) {
          if (typeof expected === 'string') {
            refusedIn(state, { row, issuer, code: expected })
            continue
          }
          const world = new World()
          const id = world.booked(state)
          const input = row.input(world, id)
          expect(world.ok(issuer, nameOf(row), input)).toMatchObject(expected)
        }
      })
    }
  }

  test('domain.md §3.4 a command by anybody else is FORBIDDEN, and of an unknown booking NOT_FOUND', () => {
    const world = new World()
    const id = world.booked('requested')
    for (const row of TABLE.filter((candidate) => nameOf(candidate) !== 'paymentCallback')) {
      for (const issuer of [CLIENT, THERAPIST, ADMIN, STRANGER, WORKER].filter(
        (name) => !issuersOf(row).includes(name),
      )) {
        expect(world.refused(issuer, nameOf(row), row.input(world, id)), `${issuer} ${row.command}`).toMatchObject({
          code: 'FORBIDDEN',
        })
      }
      const input = { ...(row.input(world, id) as object), id: 'bkg-404' } as Value
      expect(world.refused(STRANGER, nameOf(row), input)).toMatchObject({
        code: 'NOT_FOUND',
        details: { id: 'bkg-404' },
      })
    }
    for (const issuer of [CLIENT, THERAPIST, ADMIN, STRANGER]) {
      expect(world.refused(issuer, 'paymentCallback', callbackOf({ attemptId: 'att-1' }))).toMatchObject({
        code: 'FORBIDDEN',
      })
    }
    for (const issuer of [ADMIN, WORKER]) {
      const input = {
        therapistId: THERAPIST,
        startsAt: world.now + 1,
        durationMin: 60,
        priceMinor: 100,
        currency: 'KES',
      }
      expect(world.refused(issuer, 'requestBooking', input)).toMatchObject({ code: 'FORBIDDEN' })
    }
  })

  test('domain.md §0.5 a query outside a session is UNAUTHENTICATED', () => {
    const world = new World()
    world.booked('requested')
    for (const [query, input] of [
      ['get', { id: 'bkg-1' }],
      ['list', {}],
      ['audit', {}],
      ['stuck', {}],
      ['totals', {}],
    ] as const) {
      expect(world.ask(null, query, input)).toMatchObject({ code: 'UNAUTHENTICATED' })
    }
  })
})
