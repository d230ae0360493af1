import { describe, expect, test } from 'vitest'
import type { MachineDefinition } from '../../../src/machine/index.ts'
import { gates, session } from '../../../src/machines/index.ts'
import { A, B, SID, World, type Answer } from './world.ts'

interface Rows {
  get(key: unknown): object | undefined
  set(key: unknown, row: object): void
  delete(key: unknown): unknown
}
interface AnyContext {
  readonly state: { readonly [table: string]: Rows }
}
type Handler = (ctx: AnyContext, input: Answer) => unknown

/** A machine with one more command, which writes where no command of it would. */
function withMore(machine: MachineDefinition, like: string, handler: Handler): MachineDefinition {
  const ref = machine.commands[like]
  return {
    ...machine,
    commands: { ...machine.commands, put: { ...ref, name: 'put' } },
    behaviour: { ...machine.behaviour, commands: { ...machine.behaviour.commands, put: { handler } } },
  } as unknown as MachineDefinition
}

/** Puts a person at a stage, with or without having come there. `advanceStage` has the input that is needed. */
const placing = withMore(gates as unknown as MachineDefinition, 'advanceStage', ({ state }, { fromStage }) => {
  for (const user of [A, B]) {
    for (let stage = 0; stage <= 4; stage += 1) {
      const row = { startedAt: 1, completedAt: null, frozenGates: null }
      if (stage <= Number(fromStage)) state['stages']?.set([SID, user, stage], row)
      else state['stages']?.delete([SID, user, stage])
    }
  }
  return { stage: fromStage }
})

/** Gives the dialogue a status. `postMessage` has the input that is needed. */
const turning = withMore(session as unknown as MachineDefinition, 'postMessage', ({ state }, { text }) => {
  state['dialogues']?.set(SID, { ...state['dialogues'].get(SID), status: text })
  return { seq: 1 }
})

const revoked = (world: World): World => {
  world.ok(A, 'revokeConsent', { consentId: 'con-1' }, 'gates')
  return world
}

/** A's direction, by the consent of its attempt. */
const SCENES: { readonly [consent: string]: { readonly [scene: string]: (world: World) => World } } = {
  none: { 'no attempt': (world) => world.draft(A), withdrawn: (world) => revoked(world.put('REFINING')) },
  granted: {
    HELD: (world) => world.put('HELD'),
    ANALYZING: (world) => world.put('ANALYZING'),
    offered: (world) => world.put('AWAITING_SHARING'),
    REFINING: (world) => world.put('REFINING'),
    READY: (world) => world.put('READY'),
    REVEALED: (world) => world.put('REFINING').resubmitted().partnerReady(),
    'sent back': (world) => world.sentBack(),
    VALIDATED: (world) => world.put('VALIDATED'),
  },
  revoked: { hidden: (world) => revoked(world.put('VALIDATED')) },
}
const SESSIONS = ['ACTIVE', 'PAUSED', 'RESOLVED', 'ABANDONED']

/**
 * Rows 10 to 16 of domain.md §2.7, by hand: by viewer, a letter per stage of the viewer, and the scenes in which there is
 * something to be read.
 */
interface Row {
  readonly resource: string
  readonly viewer: 'guesser' | 'subject'
  readonly stages: string
  readonly scenes: readonly string[]
  readonly sees: (own: Answer, partner: Answer) => boolean
}

const ATTEMPTED = ['HELD', 'ANALYZING', 'offered', 'REFINING', 'READY', 'REVEALED', 'sent back', 'VALIDATED', 'hidden']
const SHARED = ['REFINING', 'REVEALED', 'withdrawn']
const JUDGED = ['sent back', 'VALIDATED', 'hidden']
const has = (words: string) => (own: Answer, partner: Answer) => JSON.stringify([own, partner]).includes(words)

const ROWS: readonly Row[] = [
  {
    resource: '10 empathyAttempt',
    viewer: 'guesser',
    stages: 'AAAAA',
    scenes: ATTEMPTED,
    sees: (own) => own['attempt'] !== null,
  },
  {
    resource: '10 empathyAttempt',
    viewer: 'subject',
    stages: '--AAA',
    scenes: ['REVEALED', 'sent back', 'VALIDATED'],
    sees: (_own, partner) => partner['statement'] !== null,
  },
  {
    resource: '11 empathyStatus',
    viewer: 'guesser',
    stages: 'AAAAA',
    scenes: ATTEMPTED,
    sees: (own) => own['status'] !== null,
  },
  {
    resource: '11 empathyStatus',
    viewer: 'subject',
    stages: '--AAA',
    scenes: ATTEMPTED,
    sees: (_own, partner) => partner['status'] !== null,
  },
  { resource: '12 shareOffer', viewer: 'guesser', stages: '-----', scenes: [], sees: has('REASON') },
  {
    resource: '12 shareOffer',
    viewer: 'subject',
    stages: 'AAAAA',
    scenes: ['offered', ...SHARED],
    sees: (_own, partner) => partner['offer'] !== null,
  },
  { resource: '13 sharedContext', viewer: 'guesser', stages: '--AAA', scenes: SHARED, sees: has('SUGGESTION') },
  {
    resource: '13 sharedContext',
    viewer: 'subject',
    stages: 'AAAAA',
    scenes: SHARED,
    sees: (_own, partner) => partner['sharedContext'] !== null,
  },
  { resource: '14 reconcilerResult', viewer: 'guesser', stages: '-----', scenes: [], sees: has('RATIONALE') },
  { resource: '14 reconcilerResult', viewer: 'subject', stages: '-----', scenes: [], sees: has('RATIONALE') },
  {
    resource: '15 abstractGuidance',
    viewer: 'guesser',
    stages: 'AAAAA',
    scenes: ['REFINING', 'sent back'],
    sees: has('HINT'),
  },
  { resource: '15 abstractGuidance', viewer: 'subject', stages: '-----', scenes: [], sees: has('HINT') },
  {
    resource: '16 validationOutcome',
    viewer: 'guesser',
    stages: '--AAA',
    scenes: JUDGED,
    sees: (own) => own['validated'] !== null,
  },
  {
    resource: '16 validationOutcome',
    viewer: 'subject',
    stages: 'AAAAA',
    scenes: JUDGED,
    sees: (_own, partner) => partner['validation'] !== null,
  },
]

/** What `status` answers both at every stage, of a scene in a session of that status. */
function answersOf(scene: (world: World) => World, sessionStatus: string) {
  const world = scene(new World(undefined, [turning, placing]))
  world.ok(A, 'put', { text: sessionStatus }, 'session')
  return [0, 1, 2, 3, 4].map((stage) => {
    world.ok(A, 'put', { fromStage: stage, toStage: stage + 1 }, 'gates')
    return { guesser: world.answer(A, 'status'), subject: world.answer(B, 'status') }
  })
}

describe('domain.md §2.7 rows 10 to 16, as status answers at every stage', () => {
  const scenes = Object.entries(SCENES).flatMap(([consent, of]) =>
    Object.entries(of).flatMap(([scene, make]) =>
      SESSIONS.map((sessionStatus) => ({ consent, scene, make, sessionStatus })),
    ),
  )

  test.each(scenes)(
    'consent $consent, $scene, in a session that is $sessionStatus',
    ({ scene, make, sessionStatus }) => {
      const answers = answersOf(make, sessionStatus)
      for (const { resource, viewer, stages, scenes: readable, sees } of ROWS) {
        const seen = answers.map((answer) => {
          const { own, partner } = answer[viewer] as { own: Answer; partner: Answer }
          return sees(own, partner) ? 'A' : '-'
        })
        expect(seen.join(''), `${resource} for the ${viewer}`).toBe(readable.includes(scene) ? stages : '-----')
      }
    },
  )

  test('row 11: of the partner’s direction its subject sees three states', () => {
    const reduced = Object.values(SCENES)
      .flatMap((of) => Object.entries(of))
      .map(([scene, make]) => {
        const [, , atTwo] = answersOf(make, 'ACTIVE')
        return [scene, (atTwo?.subject['partner'] as Answer | undefined)?.['status']]
      })
    const shown = {
      REVEALED: 'REVEALED',
      VALIDATED: 'VALIDATED',
      hidden: 'VALIDATED',
      'no attempt': null,
      withdrawn: null,
    }
    const wanted = (scene: string) => (scene in shown ? shown[scene as keyof typeof shown] : 'IN_PROGRESS')
    expect(reduced).toEqual(reduced.map(([scene]) => [scene, wanted(String(scene))]))
  })

  test('row 10: after feedback the subject reads what was shown last, and not the words that come', () => {
    const world = new World().sentBack()
    world.ok(A, 'resubmit', { content: 'NEW WORDS' })
    expect(world.answer(B, 'status')['partner']).toMatchObject({ statement: `how ${A} sees it`, status: 'IN_PROGRESS' })
    world.analysis(A)
    expect(world.answer(B, 'status')['partner']).toMatchObject({ statement: 'NEW WORDS', status: 'REVEALED' })
  })
})
