import { describe, expect, test } from 'vitest'
import { supportOffer } from '../../../src/machines/index.ts'
import { A, B, C, COURIER, DAY, EMAIL, HOUR, MINUTE, SEED, TOKEN, World } from './world.ts'

const SID = { sid: 'ses-1' }
const INVITED = { invitationId: 'inv-1', token: TOKEN }

function worldIn(status: Parameters<World['dialogueIn']>[0]): World {
  const world = new World()
  world.dialogueIn(status)
  return world
}

describe('domain.md §1.3 create', () => {
  test.each([
    ['an email without @', { kind: 'email', ref: 'b.x.io' }],
    ['an email with two @', { kind: 'email', ref: 'b@x@io' }],
    ['an email with an empty side', { kind: 'email', ref: '@x.io' }],
    ['a phone number of six digits', { kind: 'phone', ref: '123456' }],
    ['a phone number of sixteen digits', { kind: 'phone', ref: '1234567890123456' }],
    ['a phone number with letters', { kind: 'phone', ref: '12345x789' }],
    ['a person that is no user', { kind: 'person', ref: 'admin:ada' }],
    ['a kind that there is not', { kind: 'pigeon', ref: 'x' }],
    ['oneself', { kind: 'person', ref: A }],
  ])('%s is VALIDATION_ERROR', (_what, invitee) => {
    expect(new World().send(A, 'create', { invitee, tokenSeed: SEED }).code).toBe('VALIDATION_ERROR')
  })

  test.each([
    ['a seed of 31 digits', { tokenSeed: SEED.slice(1) }],
    ['a seed in capitals', { tokenSeed: SEED.toUpperCase() }],
    ['a context of 501 units', { context: 'x'.repeat(501) }],
    ['an unknown field', { colour: 'red' }],
  ])('%s is VALIDATION_ERROR', (_what, field) => {
    expect(new World().send(A, 'create', { invitee: EMAIL, tokenSeed: SEED, ...field }).code).toBe('VALIDATION_ERROR')
  })

  test('a person who was never here is NOT_FOUND, and one who was is taken', () => {
    const world = new World()
    const invite = (ref: string) => world.send(A, 'create', { invitee: { kind: 'person', ref }, tokenSeed: SEED }).code
    expect(invite('user:nobody')).toBe('NOT_FOUND')
    expect(invite(B)).toBe('ok')
    world.of('user:nobody')
    expect(invite('user:nobody')).toBe('ok')
  })

  test('L-I4 a second open dialogue with the same invitee is CONFLICT with the first', () => {
    const world = worldIn('CREATED')
    expect(world.send(A, 'create', { invitee: EMAIL, tokenSeed: SEED })).toEqual({
      code: 'CONFLICT',
      value: { reason: 'ACTIVE_SESSION_EXISTS', sid: 'ses-1' },
    })
    expect(world.send(C, 'create', { invitee: EMAIL, tokenSeed: SEED }).code).toBe('ok')
  })

  test('L-I4 holds between the two people whoever invited, and however', () => {
    const world = worldIn('ACTIVE')
    const person = { invitee: { kind: 'person', ref: A }, tokenSeed: SEED }
    expect(world.send(B, 'create', person).value).toEqual({ reason: 'ACTIVE_SESSION_EXISTS', sid: 'ses-1' })
    expect(world.send(A, 'create', { invitee: EMAIL, tokenSeed: SEED }).code).toBe('CONFLICT')
  })

  test('the token is the id of the invitation and what the client supplied; the note is trimmed', () => {
    const world = new World()
    const { session } = world.ok(A, 'create', { invitee: { ...EMAIL, name: ' Bea ' }, tokenSeed: SEED, context: ' x ' })
    expect(session).toMatchObject({
      context: 'x',
      statusSeq: 1,
      invitation: { token: TOKEN, status: 'DRAFT', inviteeName: 'Bea', expiresAt: null },
    })
  })

  test('a relationship outlives its dialogues', () => {
    const world = worldIn('ABANDONED')
    // Who an address stands for is known once somebody accepts.
    world.ok(A, 'create', { invitee: EMAIL, tokenSeed: SEED, sendNow: true })
    world.ok(B, 'acceptInvitation', { invitationId: 'inv-2', token: `inv-2-${SEED}` })
    expect(world.get(A, 'ses-2').relationshipId).toBe(world.get(A).relationshipId)
    world.ok(A, 'withdraw', { sid: 'ses-2' })
    world.ok(B, 'create', { invitee: { kind: 'person', ref: A }, tokenSeed: SEED, sendNow: true })
    world.ok(A, 'acceptInvitation', { invitationId: 'inv-3', token: `inv-3-${SEED}` })
    expect(world.get(A, 'ses-3').relationshipId).toBe(world.get(A).relationshipId)
  })
})

describe('domain.md §1.3 invite and resendInvitation', () => {
  test('invite: sent now, good for seven days, one task for a courier', () => {
    const world = worldIn('INVITED')
    const now = world.harness.now
    expect(world.get(A).invitation).toMatchObject({
      status: 'PENDING',
      sentAt: now,
      lastSentAt: now,
      expiresAt: now + 7 * DAY,
    })
    expect(world.harness.tasks.map(({ kind, ref }) => [kind, ref])).toEqual([['invitation.deliver', 'ses-1']])
  })

  test('resendInvitation: a day apart, three times, each good for seven days with a task of its own', () => {
    const world = worldIn('INVITED')
    const first = world.harness.now
    expect(world.send(A, 'resendInvitation', SID)).toEqual({ code: 'RATE_LIMITED', value: { retryAt: first + DAY } })
    for (const resendCount of [1, 2, 3]) {
      world.harness.advance(DAY)
      const { session } = world.ok(A, 'resendInvitation', SID)
      const now = world.harness.now
      expect(session).toMatchObject({
        invitation: { resendCount, lastSentAt: now, sentAt: first, expiresAt: now + 7 * DAY },
      })
      expect(world.harness.tasks).toHaveLength(1)
    }
    world.harness.advance(DAY)
    expect(world.send(A, 'resendInvitation', SID)).toEqual({ code: 'RATE_LIMITED', value: { reason: 'MAX_RESENDS' } })
    world.harness.advance(6 * DAY - 1)
    expect(world.get(A).status).toBe('INVITED')
    world.harness.advance(1)
    expect(world.get(A).status).toBe('ABANDONED')
  })

  test('a delivery that succeeds, and one that fails three times, is noted, and the creator hears session.delivery_failed', () => {
    const world = worldIn('INVITED')
    const deliver = () => world.harness.tasks.find(({ assignedTo }) => assignedTo !== null)
    const [task] = world.harness.tasks
    if (task === undefined) throw new Error('no task')
    expect(world.of(COURIER).complete(task, {})).toMatchObject({ kind: 'ok' })
    expect(world.get(A).invitation).toMatchObject({ deliveryFailed: false })
    world.harness.advance(DAY)
    world.ok(A, 'resendInvitation', SID)
    for (const wait of [MINUTE, 5 * MINUTE, 0]) {
      const open = deliver()
      if (open === undefined) throw new Error('no task')
      world.of(COURIER).fail(open, 'no such mailbox')
      world.harness.advance(wait)
    }
    expect(world.get(A).invitation).toMatchObject({ deliveryFailed: true })
    expect(world.told(A)).toEqual([['session.delivery_failed', { sid: 'ses-1', invitationId: 'inv-1' }]])
  })

  test('a delivery that ends after the invitation was decided changes nothing', () => {
    const world = worldIn('INVITED')
    const [task] = world.harness.tasks
    if (task === undefined) throw new Error('no task')
    world.ok(B, 'acceptInvitation', INVITED)
    expect(world.harness.tasks).toEqual([])
    expect(world.of(COURIER).complete(task, {})).toMatchObject({ code: 'STALE_TASK' })
  })
})

describe('domain.md §1.3 acceptInvitation and declineInvitation, in their order', () => {
  test.each(['acceptInvitation', 'declineInvitation'])('%s', (command) => {
    const world = worldIn('CREATED')
    expect(world.send(B, command, { ...INVITED, invitationId: 'inv-9' }).code).toBe('NOT_FOUND')
    expect(world.send(A, command, { ...INVITED, token: `inv-1-${'0'.repeat(32)}` }).code).toBe('NOT_FOUND')
    expect(world.send(A, command, INVITED).code).toBe('FORBIDDEN')
    expect(world.send('admin:ada', command, INVITED).code).toBe('FORBIDDEN')
    expect(world.send(B, command, INVITED).code).toBe('INVITATION_NOT_SENT')
  })

  test.each([
    ['ACCEPTED', 'ACTIVE', undefined],
    ['DECLINED', 'ABANDONED', 'DECLINED'],
  ] as const)('an invitation that is %s is CONFLICT', (reason, status, cause) => {
    const world = new World()
    world.dialogueIn(status, cause)
    expect(world.send(C, 'acceptInvitation', INVITED)).toEqual({ code: 'CONFLICT', value: { reason } })
  })

  test('an invitation that was withdrawn is CONFLICT', () => {
    const world = worldIn('INVITED')
    world.ok(A, 'withdraw', SID)
    expect(world.send(B, 'acceptInvitation', INVITED)).toEqual({ code: 'CONFLICT', value: { reason: 'CANCELLED' } })
  })

  test('an invitation for another person is NOT_FOUND', () => {
    const world = new World()
    world.ok(A, 'create', { invitee: { kind: 'person', ref: B }, tokenSeed: SEED, sendNow: true })
    expect(world.send(C, 'acceptInvitation', INVITED).code).toBe('NOT_FOUND')
    expect(world.send(B, 'acceptInvitation', INVITED).code).toBe('ok')
  })

  test('L-I4 two people with an open dialogue cannot accept another one', () => {
    const world = worldIn('ACTIVE')
    world.ok(A, 'create', { invitee: { kind: 'phone', ref: '0712345678' }, tokenSeed: SEED, sendNow: true })
    expect(world.send(B, 'acceptInvitation', { invitationId: 'inv-2', token: `inv-2-${SEED}` })).toEqual({
      code: 'CONFLICT',
      value: { reason: 'ACTIVE_SESSION_EXISTS', sid: 'ses-1' },
    })
  })

  test('accepting makes the issuer the partner and publishes SessionActivated', () => {
    const world = worldIn('ACTIVE')
    expect(world.get(B)).toMatchObject({ partnerId: B, creatorId: A, status: 'ACTIVE' })
    expect(world.get(A).invitation).toMatchObject({ status: 'ACCEPTED' })
    expect(world.heard()).toEqual([['SessionActivated', { sid: 'ses-1' }]])
  })
})

describe('domain.md §1.3 pause and resume', () => {
  test('a reason of 501 units, and a cooling of more than seven days, is VALIDATION_ERROR', () => {
    const world = worldIn('ACTIVE')
    expect(world.send(A, 'pause', { ...SID, reason: 'x'.repeat(501) }).code).toBe('VALIDATION_ERROR')
    expect(world.send(A, 'pause', { ...SID, coolForMs: 7 * DAY + 1 }).code).toBe('VALIDATION_ERROR')
    expect(world.send(A, 'pause', { ...SID, coolForMs: 7 * DAY }).code).toBe('ok')
  })

  test('the one who paused resumes at any time, the other one when the cooling is over', () => {
    const world = worldIn('ACTIVE')
    world.ok(A, 'pause', { ...SID, coolForMs: HOUR, reason: '  ' })
    const coolUntil = world.harness.now + HOUR
    expect(world.get(B).pause).toMatchObject({
      by: A,
      reason: null,
      coolUntil,
      expiresAt: world.harness.now + 30 * DAY,
    })
    world.harness.advance(HOUR - 1)
    expect(world.send(B, 'resume', SID)).toEqual({ code: 'COOLING', value: { coolUntil } })
    world.harness.advance(1)
    expect(world.ok(B, 'resume', SID)).toMatchObject({ session: { status: 'ACTIVE', pause: null, pauseCount: 1 } })
    world.ok(A, 'pause', { ...SID, coolForMs: HOUR })
    expect(world.send(A, 'resume', SID).code).toBe('ok')
  })

  test('they publish SessionPaused and SessionResumed with the length of the pause', () => {
    const world = worldIn('PAUSED')
    world.harness.advance(HOUR)
    world.ok(A, 'resume', SID)
    expect(world.heard().slice(1)).toEqual([
      ['SessionPaused', { sid: 'ses-1' }],
      ['SessionResumed', { sid: 'ses-1', pausedFor: HOUR }],
    ])
  })
})

describe('domain.md §1.3 postMessage and recordEmotion', () => {
  test('a message with an intensity is a reading too, in the same entry and without a limit', () => {
    const world = worldIn('ACTIVE')
    world.stage(A, 1)
    const said = { ...SID, text: ' I am tired ', emotionalIntensity: 7, emotionalContext: 'work' }
    expect(world.ok(A, 'postMessage', said)).toMatchObject({
      seq: 1,
      stage: 1,
      reading: { intensity: 7, context: 'work' },
    })
    expect(world.ok(A, 'postMessage', said)).toMatchObject({ seq: 2 })
    expect(world.ask(A, 'history', SID).value).toMatchObject([{ seq: 1, text: 'I am tired', stage: 1 }, { seq: 2 }])
  })

  test.each([
    ['an empty text', { text: '  ' }],
    ['a text of 4001 units', { text: 'x'.repeat(4_001) }],
    ['an intensity of 0', { text: 'x', emotionalIntensity: 0 }],
    ['an intensity of 11', { text: 'x', emotionalIntensity: 11 }],
    ['a context of 201 units', { text: 'x', emotionalContext: 'x'.repeat(201) }],
  ])('%s is VALIDATION_ERROR', (_what, field) => {
    expect(worldIn('ACTIVE').send(A, 'postMessage', { ...SID, ...field }).code).toBe('VALIDATION_ERROR')
  })

  test('one recorded reading per person in 30 s, whatever the dialogue; the other person is not concerned', () => {
    const world = worldIn('ACTIVE')
    world.ok(A, 'recordEmotion', { ...SID, intensity: 3, context: '' })
    expect(world.send(A, 'recordEmotion', { ...SID, intensity: 3 })).toEqual({
      code: 'RATE_LIMITED',
      value: { retryAt: world.harness.now + 30_000 },
    })
    expect(world.send(B, 'recordEmotion', { ...SID, intensity: 3 }).code).toBe('ok')
    world.harness.advance(30_000)
    expect(world.ok(A, 'recordEmotion', { ...SID, intensity: 6 })).toMatchObject({ offerSupport: 'GROUNDING' })
  })

  test.each([
    ['9 after 9', 9, [[9, 0]], 'PAUSE_SESSION'],
    ['9 after 8', 9, [[8, 0]], 'BREATHING_EXERCISE'],
    ['a rise of 3 within ten minutes', 5, [[2, 10 * MINUTE]], 'GROUNDING'],
    ['a rise of 3 after ten minutes', 5, [[2, 10 * MINUTE + 1]], null],
    ['a rise of 2', 5, [[3, 0]], null],
    ['8 alone', 8, [], 'BREATHING_EXERCISE'],
    ['7 alone', 7, [], null],
    [
      '9 after 9, though it rose from 2',
      9,
      [
        [9, 0],
        [2, 1],
      ],
      'PAUSE_SESSION',
    ],
  ] as const)('offerSupport: %s', (_what, intensity, earlier, offer) => {
    const at = HOUR
    const before = earlier.map(([felt, ago]) => ({ intensity: felt, at: at - ago }))
    expect(supportOffer({ intensity, at }, before)).toBe(offer)
  })
})

describe('domain.md §1.3 resolve, withdraw, archive', () => {
  test('resolve: own stage, the partner’s, own keys, an agreement, in this order', () => {
    const world = worldIn('ACTIVE')
    const refused = () => world.send(A, 'resolve', SID)
    const keys = ['strategiesSubmitted', 'rankingsSubmitted', 'overlapIdentified', 'agreementCreated']
    expect(refused()).toEqual({ code: 'GATES_NOT_SATISFIED', value: { unsatisfied: keys } })
    world.stage(A, 4)
    world.stage(B, 3)
    expect(refused()).toEqual({ code: 'PARTNER_NOT_READY', value: { stage: 3 } })
    world.stage(B, 4)
    expect(refused()).toEqual({ code: 'GATES_NOT_SATISFIED', value: { unsatisfied: keys } })
    world.atTheEnd('PROPOSED')
    expect(refused()).toEqual({ code: 'AGREEMENT_NOT_CONFIRMED', value: {} })
    world.atTheEnd('AGREED')
    expect(refused()).toMatchObject({ code: 'ok', value: { session: { resolvedAt: world.harness.now } } })
    expect(world.heard().at(-1)).toEqual(['SessionClosed', { sid: 'ses-1', status: 'RESOLVED' }])
  })

  test('withdraw: the invitation is cancelled before the acceptance, SessionClosed, and the reason is kept nowhere', () => {
    const world = worldIn('INVITED')
    world.ok(A, 'withdraw', { ...SID, reason: 'a secret of mine' })
    expect(world.get(A)).toMatchObject({
      invitation: { status: 'CANCELLED' },
      abandoned: { cause: 'WITHDRAWN', by: A },
    })
    expect(world.harness.tasks).toEqual([])
    expect(JSON.stringify(world.harness.table('session', 'dialogues'))).not.toContain('secret')
    expect(world.heard()).toEqual([['SessionClosed', { sid: 'ses-1', status: 'ABANDONED' }]])
  })

  test('a closed dialogue lets its people begin another one', () => {
    const world = worldIn('RESOLVED')
    expect(world.send(A, 'create', { invitee: EMAIL, tokenSeed: SEED }).code).toBe('ok')
    expect(world.send(B, 'create', { invitee: { kind: 'person', ref: A }, tokenSeed: SEED }).code).toBe('ok')
    expect(world.harness.timers.filter(({ key }) => key === 'ses-1')).toEqual([])
  })

  test('archive: a flag of the viewer, twice the same, and the status stays', () => {
    const world = worldIn('RESOLVED')
    for (const _time of [1, 2]) world.ok(A, 'archive', SID)
    world.ok(B, 'archive', SID)
    expect([world.get(A).archived, world.get(B).archived, world.get(A).status]).toEqual([true, true, 'RESOLVED'])
    world.ok(A, 'unarchive', SID)
    expect([world.get(A).archived, world.get(B).archived]).toEqual([false, true])
  })

  test('every command of a member counts as activity, and arms the timer of inactivity anew', () => {
    const world = worldIn('ACTIVE')
    world.harness.advance(80 * DAY)
    world.ok(B, 'postMessage', { ...SID, text: 'still here' })
    expect(world.get(A).lastActivityAt).toBe(world.harness.now)
    world.harness.advance(89 * DAY)
    expect(world.get(A).status).toBe('ACTIVE')
    world.harness.advance(DAY)
    expect(world.get(A)).toMatchObject({ status: 'ABANDONED', abandoned: { cause: 'INACTIVITY' } })
  })
})
