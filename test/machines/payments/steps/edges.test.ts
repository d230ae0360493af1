import { describe, expect, test } from 'vitest'
import { ADMIN, World } from '../world.ts'
import { ALONE, EDGES, FORBIDDEN, type Machine, STATES_OF, TAKEN, TRIPLES } from './edges.ts'

const MACHINES = ['payment', 'session', 'video'] as const

const edgeOf = (machine: Machine, from: string, to: string): string => `${machine} ${from}→${to}`

/** The steps of a booking as its audit trail has them. */
const steps = (world: World, id: string): string[] =>
  world
    .audit(id)
    .flatMap(({ entity, from, to }) =>
      MACHINES.includes(entity as Machine) && from !== null ? [edgeOf(entity as Machine, from, to ?? '')] : [],
    )

function ask(world: World, id: string, machine: Machine, to: string): string {
  const outcome = world.send(ADMIN, 'transition', { id, steps: [{ entity: machine, to }], reason: 'a trial' })
  return outcome.kind === 'reject' ? outcome.code : 'taken'
}

describe('domain.md §3.1 every edge of the three tables', () => {
  test('domain.md §3.1 there are 8 edges of the payment, 17 of the session and 7 of the video', () => {
    expect(MACHINES.map((machine) => EDGES.filter((edge) => edge.startsWith(`${machine} `)).length)).toEqual([8, 17, 7])
    expect(Object.keys(TAKEN)).toEqual(EDGES)
  })

  for (const [edge, [from, act]] of Object.entries(TAKEN)) {
    test(`domain.md §3.1 ${edge} is taken by its command, out of ${from}`, () => {
      const world = new World()
      const id = TRIPLES[from]?.(world) ?? ''
      expect(world.triple(id)).toBe(from)
      const before = steps(world, id).length
      act(world, id)
      expect(steps(world, id).slice(before)).toContain(edge)
      const [machine = '', pair = ''] = edge.split(' ')
      const view = world.view(id)
      // A call that failed goes on to its end: what a step leads to may be left in the same group.
      expect(Object.keys(TRIPLES)).toContain(world.triple(id))
      expect(view[machine as Machine]).toBe(pair.split('→')[1])
    })
  }
})

describe('domain.md §3.7 every pair of states, out of every triple of domain.md §3.3', () => {
  for (const [triple, make] of Object.entries(TRIPLES)) {
    test(`domain.md §3.7 out of ${triple} every forbidden pair is refused with its code, and changes nothing`, () => {
      const world = new World()
      const id = make(world)
      const before = world.view(id)
      expect(world.triple(id)).toBe(triple)
      const codes = MACHINES.flatMap((machine) =>
        STATES_OF[machine].map((to) => [edgeOf(machine, before[machine], to), machine, to] as const),
      ).filter(([edge]) => !EDGES.includes(edge))
      for (const [edge, machine, to] of codes) {
        expect(ask(world, id, machine, to), edge).toBe(FORBIDDEN[edge] ?? 'INVALID_STATE_TRANSITION')
      }
      expect(world.view(id)).toEqual(before)
      expect(world.audit(id, 'rejected')).toHaveLength(codes.length)
    })

    test(`domain.md §3.7 out of ${triple} every edge alone is taken, or refused with its code`, () => {
      const expected = ALONE[triple] ?? {}
      const states = triple.split('/')
      const edges = MACHINES.flatMap((machine, at) =>
        STATES_OF[machine].map((to) => [edgeOf(machine, states[at] ?? '', to), machine, to] as const),
      ).filter(([edge]) => EDGES.includes(edge))
      // A refusal changes nothing, so one world serves until a step is taken.
      let world: World | null = null
      let id = ''
      const found = edges.map(([edge, machine, to]) => {
        if (world === null) {
          world = new World()
          id = make(world)
        }
        const answer = ask(world, id, machine, to)
        const reached = MACHINES.map((name, at) => (name === machine && answer === 'taken' ? to : states[at])).join('/')
        expect(world.triple(id), edge).toBe(reached)
        if (answer === 'taken') world = null
        return [edge, answer] as const
      })
      expect(Object.fromEntries(found)).toEqual(expected)
    })
  }

  test('domain.md §3.7 every state of the three tables is in one of the triples', () => {
    const seen = Object.keys(TRIPLES).map((triple) => triple.split('/'))
    for (const [at, machine] of MACHINES.entries()) {
      expect([...new Set(seen.map((states) => states[at]))].sort()).toEqual([...STATES_OF[machine]].sort())
    }
    expect(Object.keys(ALONE)).toEqual(Object.keys(TRIPLES))
  })
})
