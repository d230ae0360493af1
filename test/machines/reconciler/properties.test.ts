import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sample } from '../../effort.ts'
import { A, ANALYST, B, DAY, GAPS, MINUTE, other, result, World, type Answer } from './world.ts'

/** What somebody does about the guess of one of the two; what is not allowed just then is refused, and changes nothing. */
const ACTS: { readonly [act: string]: (world: World, guesser: string) => unknown } = {
  consent: (world, guesser) => {
    world.send(guesser, 'saveEmpathyDraft', { content: `how ${guesser} sees it`, readyToShare: true }, 'gates')
    return world.send(guesser, 'consent', { draftVersion: 1 })
  },
  gaps: (world, guesser) => complete(world, guesser, GAPS),
  'no gap': (world, guesser) => complete(world, guesser, result()),
  view: (world, guesser) => world.send(other(guesser), 'viewOffer'),
  accept: (world, guesser) => answer(world, guesser, 'accept'),
  decline: (world, guesser) => answer(world, guesser, 'decline'),
  resubmit: (world, guesser) => {
    const { revision = 0 } = world.row('directions', guesser) ?? {}
    return world.send(guesser, 'resubmit', { content: `words ${String(revision)} of ${guesser}` })
  },
  skip: (world, guesser) => world.send(guesser, 'skipRefinement', { willingToAccept: true }),
  right: (world, guesser) => world.send(other(guesser), 'validate', { validated: true }),
  feedback: (world, guesser) => world.send(other(guesser), 'validate', { validated: false, feedback: 'no' }),
  seen: (world, guesser) => world.send(other(guesser), 'markSeen'),
}
type Act = readonly [act: string, guesser: string]

function complete(world: World, guesser: string, found: Answer): unknown {
  return world.status(guesser) === 'ANALYZING' ? world.analysis(guesser, found) : null
}

function answer(world: World, guesser: string, action: string): unknown {
  return world.send(other(guesser), 'respondOffer', { offerId: world.offerId(guesser), action })
}

const act = (world: World, [name, guesser]: Act): unknown => ACTS[name]?.(world, guesser)
const both = (): World => new World().feelHeard(A).feelHeard(B)
const acts = (length: number): fc.Arbitrary<Act[]> =>
  fc.array(fc.tuple(fc.constantFrom(...Object.keys(ACTS)), fc.constantFrom(A, B)), { maxLength: length, size: 'max' })
const SEEDED = { seed: 1, numRuns: sample(8) }

/** What of a direction is its own: nothing of its ids, which both count together, nor of times. */
function directionIn(world: World, guesser: string): unknown {
  const { offers, shareHistory, ...counts } = world.row('directions', guesser) ?? {}
  const steps = world.answer(guesser, 'audit')['steps'] as readonly Answer[]
  const trail = steps.flatMap(({ direction, from, to, trigger }) => (direction === 'mine' ? [[from, to, trigger]] : []))
  const { status = null, content = null, revealedContent = null } = world.row('attempts', guesser) ?? {}
  const offered = ((offers ?? []) as readonly Answer[]).map((offer) => [offer['status'], offer['contentVersion']])
  const shared = ((shareHistory ?? []) as readonly Answer[]).map(({ delivery }) => delivery)
  return { counts, trail, status, content, revealedContent, offered, shared }
}

const shown = (world: World): boolean => world.row('attempts', A)?.['revealedContent'] != null

describe('domain.md §4.12 properties over drawn acts of both', () => {
  test('PR2 a direction is where it is by what is done about it alone, and by the reveal', () => {
    fc.assert(
      fc.property(acts(40), (list) => {
        const whole = both()
        const alone = both()
        for (const step of list) {
          const before = shown(whole)
          act(whole, step)
          // The other direction is there for the first reveal, and for nothing else.
          if (!before && shown(whole)) alone.partnerReady()
          // Whoever looks at the guess of the other one looks at what was shared with it, too.
          if (step[1] === A || step[0] === 'seen') act(alone, step)
        }
        expect(directionIn(alone, A)).toEqual(directionIn(whole, A))
      }),
      SEEDED,
    )
  })

  test('PR5 whatever happened, with an analyst who always offers two willing people come to VALIDATED', () => {
    let most = 0
    fc.assert(
      fc.property(acts(25), (list) => {
        const world = both()
        for (const step of list) act(world, step)
        let entries = 0
        for (const done = () => [A, B].every((user) => world.status(user) === 'VALIDATED'); !done(); entries += 1) {
          expect(entries).toBeLessThan(WILLING_MAX)
          const guesser = [A, B].find((user) => willing(world, user))
          expect(guesser).toBeDefined()
        }
        most = Math.max(most, entries)
      }),
      SEEDED,
    )
    expect(most).toBeGreaterThan(4)
  })

  test('PR9 whatever happened, without workers nothing is ANALYZING for longer than the queue’s deadline', () => {
    fc.assert(
      fc.property(acts(25), fc.boolean(), (list, gone) => {
        const world = both()
        for (const step of list) act(world, step)
        if (gone) world.of(ANALYST).expire()
        world.harness.advance(15 * MINUTE)
        for (const user of [A, B]) expect(world.status(user)).not.toBe('ANALYZING')
        world.harness.advance(7 * DAY)
        for (const user of [A, B]) expect(world.status(user)).not.toBe('AWAITING_SHARING')
      }),
      SEEDED,
    )
  })

  test('PR10 a command that is repeated has the same outcome or is refused, and tells nobody', () => {
    const repeated = new Set<string>()
    fc.assert(
      fc.property(acts(40), (list) => {
        const world = both()
        for (const step of list) {
          const first = act(world, step) as { readonly code?: string; readonly value?: Answer } | null
          if (first?.code !== 'ok' || step[0] === 'resubmit') continue
          const { duplicate: _first, ...given } = first.value ?? {}
          for (const user of [A, B]) world.told(user)
          const said = [A, B].map((user) => world.messages(user).length)
          const second = act(world, step) as { readonly code: string; readonly value: Answer }
          const { duplicate: _second, ...again } = second.value
          if (second.code === 'ok' && step[0] !== 'consent') expect(again).toEqual(given)
          if (second.code === 'ok') repeated.add(step[0])
          for (const user of [A, B]) expect(world.told(user), step[0]).toEqual([])
          expect([A, B].map((user) => world.messages(user).length)).toEqual(said)
        }
      }),
      { ...SEEDED, examples: [[WAY]] },
    )
    expect([...repeated].sort()).toEqual(['accept', 'consent', 'decline', 'right', 'seen', 'view'])
  })
})

/** Everything that can be done twice. */
const WAY: Act[] = [
  ...['consent', 'gaps', 'view', 'decline'].map((name): Act => [name, B]),
  ...['consent', 'gaps', 'view', 'accept', 'resubmit', 'no gap', 'seen', 'right'].map((name): Act => [name, A]),
]

/** From anywhere: at most as many acts as one direction needs for both, with every resubmission that is analysed. */
const WILLING_MAX = 60

/** One act about a guess, of people who want to come to its end; false when there is nothing to be done about it. */
function willing(world: World, guesser: string): boolean {
  const next = { ANALYZING: 'gaps', AWAITING_SHARING: 'accept', REFINING: 'resubmit', REVEALED: 'right' } as const
  const status = world.status(guesser)
  const name = status === null ? 'consent' : next[status as keyof typeof next]
  if (name === undefined) return false
  act(world, [name, guesser])
  return true
}
