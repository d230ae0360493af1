import { describe, expect, test } from 'vitest'
import type { MachineDefinition } from '../../../src/machine/index.ts'
import { reconciler } from '../../../src/machines/index.ts'
import { A, ANALYST, B, result, World, type Answer } from './world.ts'

const COLUMNS = [
  'consent',
  'feelHeard',
  'analysis',
  'viewOffer',
  'accept',
  'decline',
  'resubmit',
  'skip',
  'right',
  'feedback',
  'revoke',
]
const E = 'INVALID_STATE_TRANSITION'
const NF = 'NOT_FOUND'
const ONP = 'OFFER_NOT_PENDING'
const STALE = 'STALE_TASK'
const NR = 'NOT_REVEALED'
const AR = 'AWAITING_REVISION'

/**
 * domain.md §4.3, by hand: a code, `dup`, `hide`, `-` for nothing, or where the direction goes. REFINING stands twice: before
 * the first reveal, and after it (`…, shown`).
 */
const CELLS: { readonly [status: string]: readonly string[] } = {
  '∅': ['→HELD', '-', STALE, NF, NF, NF, NF, NF, NF, NF, NF],
  // The subject of a HELD guess does not feel heard, and so stands before stage 2: that check comes first.
  HELD: ['dup', '→ANALYZING', STALE, NF, ONP, ONP, E, E, 'WRONG_STAGE', 'WRONG_STAGE', '→∅'],
  ANALYZING: ['dup', '-', '→READY', NF, ONP, ONP, E, E, NR, NR, '→∅'],
  AWAITING_SHARING: ['dup', '-', STALE, 'ok', '→REFINING', '→READY', E, E, NR, NR, '→∅'],
  REFINING: ['dup', '-', STALE, NF, 'dup', ONP, '→ANALYZING', '→READY', NR, NR, '→∅'],
  'REFINING, shown': ['dup', '-', STALE, NF, ONP, ONP, '→ANALYZING', '→VALIDATED', AR, AR, 'hide'],
  NEEDS_WORK: ['dup', '-', STALE, NF, '→REFINING', '→READY', '→ANALYZING', '→READY', NR, NR, '→∅'],
  READY: ['dup', '-', STALE, NF, ONP, ONP, E, E, NR, NR, '→∅'],
  REVEALED: ['dup', '-', STALE, NF, ONP, ONP, E, E, '→VALIDATED', '→REFINING', 'hide'],
  VALIDATED: ['dup', '-', STALE, NF, ONP, ONP, E, E, 'dup', E, 'hide'],
}

/** Old data: an offer that waits in a status that nothing enters any more. */
const withOld = {
  ...reconciler,
  commands: { ...reconciler.commands, age: { ...reconciler.commands.markSeen, name: 'age' } },
  behaviour: {
    ...reconciler.behaviour,
    commands: {
      ...reconciler.behaviour.commands,
      age: {
        handler: (ctx: Aging, { sid }: { sid: string }) => {
          const attempt = ctx.state.attempts.get([sid, A])
          ctx.state.attempts.set([sid, A], { ...attempt, status: 'NEEDS_WORK' })
          return { seen: true }
        },
      },
    },
  },
} as unknown as MachineDefinition

interface Aging {
  readonly state: {
    readonly attempts: { get(key: readonly string[]): object; set(key: readonly string[], row: object): void }
  }
}

function worldIn(status: string): World {
  if (status === '∅') return new World().draft(A)
  if (status === 'REFINING, shown') return new World().sentBack()
  if (status !== 'NEEDS_WORK') return new World().put(status)
  const world = new World(withOld).put('AWAITING_SHARING')
  world.ok(A, 'age')
  return world
}

function bringOn(world: World, status: string): void {
  if (status === 'HELD' || world.stageOf(B) !== 1) return
  if (status === '∅') world.feelHeard(B)
  else world.ok(B, 'advanceStage', { fromStage: 1, toStage: 2 }, 'gates')
}

/** A command of that column, and what it answered. */
function act(world: World, column: string, task: { readonly taskId: string } | null): { code: string; value: Answer } {
  const answer = { offerId: world.offer()?.['id'] ?? 'off-1' }
  switch (column) {
    case 'consent':
      return world.send(A, 'consent', { draftVersion: 1 })
    case 'feelHeard':
      return world.send(B, 'confirmFeelHeard', { confirmed: true }, 'gates')
    case 'analysis': {
      if (task === null) return { code: STALE, value: {} }
      const outcome = world.of(ANALYST).complete(task as never, result())
      return { code: outcome.kind === 'ok' ? 'ok' : outcome.code, value: {} }
    }
    case 'viewOffer':
      return world.send(B, 'viewOffer')
    case 'accept':
    case 'decline':
      return world.send(B, 'respondOffer', { ...answer, action: column })
    case 'resubmit':
      return world.send(A, 'resubmit', { content: 'other words' })
    case 'skip':
      return world.send(A, 'skipRefinement', { willingToAccept: true })
    case 'right':
      return world.send(B, 'validate', { validated: true })
    case 'feedback':
      return world.send(B, 'validate', { validated: false, feedback: 'no' })
    default:
      return world.send(A, 'revokeConsent', { consentId: 'con-1' }, 'gates')
  }
}

describe('domain.md §4.3 state × command', () => {
  const cells = Object.entries(CELLS).flatMap(([status, row]) =>
    COLUMNS.map((column, place) => ({ status, column, expected: row[place] ?? '' })),
  )

  test.each(cells)('$status × $column: $expected', ({ status, column, expected }) => {
    const world = worldIn(status)
    // Validating is done from stage 2 on; the subject may be there or not.
    if (column === 'right' || column === 'feedback') bringOn(world, status)
    const before = world.status()
    const open = world.harness.tasks.find(({ kind }) => kind === 'reconciler.analyze') ?? null
    for (const user of [A, B]) world.told(user)
    const { code, value } = act(world, column, open)
    const after = world.status()
    if (expected.startsWith('→')) {
      expect(code).toBe('ok')
      expect(after).toBe(expected === '→∅' ? null : expected.slice(1))
      return
    }
    expect(after).toBe(before)
    if (expected === '-') return
    if (expected === 'hide') {
      expect(code).toBe('ok')
      expect(world.row('attempts')).toMatchObject({ hidden: true })
      expect(world.answer(B, 'status')['partner']).toMatchObject({ statement: null })
      expect(world.code(B, 'validate', { validated: true })).toBe('CONSENT_REQUIRED')
      return
    }
    expect(code).toBe(expected === 'dup' ? 'ok' : expected)
    if (expected !== 'dup') return
    expect(value).toMatchObject({ duplicate: true })
    for (const user of [A, B]) expect(world.told(user)).toEqual([])
  })
})
