import { describe, expect, test } from 'vitest'
import { EMPATHY_TRANSITIONS } from '../../../src/machines/index.ts'
import { A, B, GAPS, result, World } from './world.ts'

/** domain.md §4.7, row by row. */
describe('domain.md §4.7 the seven audit issues', () => {
  test('infinite share loop: an analyst who always finds gaps gets one offer, and both come to VALIDATED (PR4, PR5)', () => {
    const world = new World().put('REFINING')
    world.ok(A, 'resubmit', { content: 'words 1' })
    world.analysis(A, GAPS).consent(B)
    world.analysis(B, GAPS).respond('accept', B)
    world.ok(B, 'resubmit', { content: 'words 1' })
    world.analysis(B, GAPS)
    for (let round = 2; round <= 5; round += 1) {
      expect([world.status(A), world.status(B)]).toEqual(['REVEALED', 'REVEALED'])
      for (const [subject, guesser] of [
        [B, A],
        [A, B],
      ] as const) {
        world.ok(subject, 'validate', { validated: false, feedback: 'no' })
        const { status } = world.ok(guesser, 'resubmit', { content: `words ${round}` })
        expect(status).toBe(round <= 3 ? 'ANALYZING' : 'REVEALED')
        if (status === 'ANALYZING') world.analysis(guesser, GAPS)
      }
    }
    for (const user of [A, B]) {
      expect(world.row('directions', user)).toMatchObject({ analyses: 4, resubmits: 5, breakerTripped: true })
      expect(world.row('directions', user)?.['offers']).toHaveLength(1)
    }
    for (const user of [A, B]) world.ok(user, 'validate', { validated: true })
    expect([world.status(A), world.status(B)]).toEqual(['VALIDATED', 'VALIDATED'])
  })

  test('result not visible after its creation: result, offer and status are one entry (PR6)', () => {
    const world = new World().put('ANALYZING')
    const before = world.rows('results').length
    world.analysis(A, GAPS)
    expect(world.rows('results')).toHaveLength(before + 1)
    expect([world.status(), world.offer()?.['status']]).toEqual(['AWAITING_SHARING', 'PENDING'])
  })

  test('messages ordered by time: everything of one entry has one time, and its order is seq', () => {
    const world = new World().sentBack()
    const said = world.messages(A)
    expect(said.slice(-2).map((message) => message.said)).toEqual(['VALIDATION_FRAMING', 'VALIDATION_FEEDBACK'])
    const numbers = [...said, ...world.messages(B)].map(({ seq }) => seq).sort((one, other) => one - other)
    expect(numbers).toEqual(numbers.map((_, position) => position + 1))
  })

  test.each(['the guesser first', 'the subject first'])('HELD never looked at again: %s', (order) => {
    const world = new World()
    if (order === 'the guesser first') world.put('HELD').feelHeard(B)
    else world.feelHeard(B).consent(A)
    expect(world.status()).toBe('ANALYZING')
  })

  test('history lost by deletion: results are superseded, what was shared outlives them and the attempt', () => {
    const world = new World().put('REFINING')
    world.ok(A, 'resubmit', { content: 'other words' })
    world.analysis(A, GAPS)
    world.ok(A, 'revokeConsent', { consentId: 'con-1' }, 'gates')
    expect(world.status()).toBeNull()
    expect(world.rows('results').map(([, row]) => row['supersededAt'] !== null)).toEqual([true, true])
    expect(world.row('directions')).toMatchObject({ resubmits: 1, shareHistory: [{ offerId: 'off-1' }] })
    // Another attempt is a further revision, gets no second offer, and its analyses count on.
    world.ok(A, 'consent', { draftVersion: 1 })
    world.analysis(A, GAPS)
    expect(world.status()).toBe('READY')
    expect(world.row('directions')).toMatchObject({ revision: 2, resubmits: 1, analyses: 3, attempts: 2 })
    world.ok(A, 'revokeConsent', { consentId: 'con-2' }, 'gates')
    world.ok(A, 'consent', { draftVersion: 1 })
    world.analysis(A, result())
    world.ok(A, 'revokeConsent', { consentId: 'con-3' }, 'gates')
    expect(world.ok(A, 'consent', { draftVersion: 1 })).toMatchObject({ status: 'READY', waitingForPartner: false })
    expect(world.row('directions')).toMatchObject({ analyses: 4, breakerTripped: true })
  })

  test('guidance unused: the guesser has it in REFINING, and nobody anywhere else (PR11)', () => {
    const world = new World().put('REFINING')
    const guidance = { areaHint: 'HINT', guidanceType: 'TYPE', promptSeed: 'SEED' }
    expect(world.answer(A, 'status')['own']).toMatchObject({ guidance })
    expect(JSON.stringify(world.ask(B, 'status'))).not.toContain('HINT')
    world.ok(A, 'resubmit', { content: 'other words' })
    expect(world.answer(A, 'status')['own']).toMatchObject({ guidance: null })
  })

  test('NEEDS_WORK deprecated: nothing enters it (PR8)', () => {
    expect(EMPATHY_TRANSITIONS.edges().filter(({ to }) => to === 'NEEDS_WORK')).toEqual([])
  })
})

describe('domain.md §4.12 a consent that is taken back and given again', () => {
  test('after the reveal the attempt is hidden, then to be read again, and no dead end', () => {
    const world = new World().put('REVEALED')
    world.ok(A, 'revokeConsent', { consentId: 'con-1' }, 'gates')
    expect(world.answer(A, 'gates', { stage: 2 }, 'gates')).toMatchObject({ empathyConsented: false })
    expect(world.ok(A, 'consent', { draftVersion: 1 })).toEqual({
      status: 'REVEALED',
      attemptId: 'att-1',
      waitingForPartner: false,
    })
    expect(world.answer(B, 'status')['partner']).toMatchObject({ statement: `how ${A} sees it` })
    expect(JSON.stringify(world.answer(B, 'sharedContent', {}, 'gates'))).toContain(`how ${A} sees it`)
    world.ok(B, 'validate', { validated: true })
    expect(world.status()).toBe('VALIDATED')
  })
})
