import { describe, expect, test } from 'vitest'
import { A, B, C, COURIER, DAY, EMAIL, HOUR, SEED, TOKEN, World } from './world.ts'

const SID = { sid: 'ses-1' }
const INVITED = { invitationId: 'inv-1', token: TOKEN }

test('domain.md §1.9 the canonical flow', () => {
  const world = new World()
  // 1
  const created = world.ok(A, 'create', { invitee: EMAIL, tokenSeed: SEED })
  expect(created).toMatchObject({ session: { id: 'ses-1', status: 'CREATED' }, invitationId: 'inv-1' })
  // 2
  expect(world.send(B, 'acceptInvitation', INVITED).code).toBe('INVITATION_NOT_SENT')
  // 3
  expect(world.ok(A, 'invite', SID)).toMatchObject({ session: { status: 'INVITED' } })
  const [task] = world.harness.tasks
  if (task === undefined) throw new Error('no task')
  expect(world.of(COURIER).complete(task, {})).toMatchObject({ kind: 'ok' })
  // 4
  expect(world.ok(B, 'acceptInvitation', INVITED)).toMatchObject({ session: { status: 'ACTIVE' } })
  expect(world.told(A)).toEqual([['session.activated', { sid: 'ses-1', partnerId: B }]])
  // 5
  expect(world.ok(A, 'postMessage', { ...SID, text: 'I do not know how to begin' })).toMatchObject({ seq: 1 })
  expect(world.ask(B, 'history', SID).value).toEqual([])
  // 6
  const paused = world.ok(A, 'pause', { ...SID, reason: 'too much', coolForMs: 3_600_000 })
  expect(paused).toMatchObject({ session: { status: 'PAUSED' } })
  expect(world.told(B).map(([topic]) => topic)).toEqual(['session.paused'])
  // 7
  expect(world.send(B, 'postMessage', { ...SID, text: 'wait' }).code).toBe('SESSION_NOT_ACTIVE')
  expect(world.send(B, 'recordEmotion', { ...SID, intensity: 7 }).code).toBe('ok')
  expect(world.send(B, 'resume', SID).code).toBe('COOLING')
  // 8
  world.harness.advance(HOUR)
  expect(world.ok(B, 'resume', SID)).toMatchObject({ session: { status: 'ACTIVE' } })
  expect(world.told(A)).toEqual([['session.resumed', { sid: 'ses-1', by: B }]])
  // 9: what the machine gates does meanwhile
  world.atTheEnd('AGREED')
  // 10
  expect(world.ok(A, 'resolve', SID)).toMatchObject({ session: { status: 'RESOLVED' } })
  for (const user of [A, B]) expect(world.told(user).map(([topic]) => topic)).toEqual(['session.resolved'])
  expect(world.send(B, 'postMessage', { ...SID, text: 'thank you' }).code).toBe('SESSION_NOT_ACTIVE')
  expect(world.ask(B, 'history', SID).code).toBe('ok')
})

describe('domain.md §1.10 abuse', () => {
  const worldIn = (...given: Parameters<World['dialogueIn']>): World => {
    const world = new World()
    world.dialogueIn(...given)
    return world
  }

  test('L1 the creator accepts the own invitation: FORBIDDEN', () => {
    expect(worldIn('INVITED').send(A, 'acceptInvitation', INVITED).code).toBe('FORBIDDEN')
  })

  test('L2 a third person reads or pauses ses-1: NOT_FOUND, as for what does not exist', () => {
    const world = worldIn('ACTIVE')
    expect(world.send(C, 'pause', SID)).toEqual({ code: 'NOT_FOUND', value: { sid: 'ses-1' } })
    expect(world.send(C, 'pause', { sid: 'ses-9' })).toEqual({ code: 'NOT_FOUND', value: { sid: 'ses-9' } })
    expect(world.ask(C, 'get', SID)).toEqual({ code: 'NOT_FOUND', value: { sid: 'ses-1' } })
  })

  test('L3 accepting a second time, and after a decline: CONFLICT', () => {
    expect(worldIn('ACTIVE').send(B, 'acceptInvitation', INVITED).code).toBe('CONFLICT')
    expect(worldIn('ABANDONED', 'DECLINED').send(B, 'acceptInvitation', INVITED).code).toBe('CONFLICT')
  })

  test('L4 accepting at expiresAt exactly: INVITATION_EXPIRED, because the timer fires first', () => {
    const early = worldIn('INVITED')
    early.harness.advance(7 * DAY - 1)
    expect(early.send(B, 'acceptInvitation', INVITED).code).toBe('ok')
    const late = worldIn('INVITED')
    late.harness.advance(7 * DAY)
    expect(late.send(B, 'acceptInvitation', INVITED).code).toBe('INVITATION_EXPIRED')
  })

  test('L5 sending again 5 h after the last time, and a fourth time: RATE_LIMITED', () => {
    const world = worldIn('INVITED')
    world.harness.advance(5 * HOUR)
    expect(world.send(A, 'resendInvitation', SID)).toMatchObject({
      code: 'RATE_LIMITED',
      value: { retryAt: expect.any(Number) },
    })
    for (let time = 0; time < 3; time += 1) {
      world.harness.advance(DAY)
      world.ok(A, 'resendInvitation', SID)
    }
    world.harness.advance(DAY)
    expect(world.send(A, 'resendInvitation', SID).value).toEqual({ reason: 'MAX_RESENDS' })
  })

  test('L6 the partner resumes during the cooling: COOLING', () => {
    const world = worldIn('ACTIVE')
    world.ok(A, 'pause', { ...SID, coolForMs: HOUR })
    expect(world.send(B, 'resume', SID).code).toBe('COOLING')
  })

  test('L7 pausing while INVITED, and twice: SESSION_NOT_ACTIVE', () => {
    expect(worldIn('INVITED').send(A, 'pause', SID).code).toBe('SESSION_NOT_ACTIVE')
    expect(worldIn('PAUSED').send(A, 'pause', SID).code).toBe('SESSION_NOT_ACTIVE')
  })

  test('L8 resolving with an agreement only PROPOSED: AGREEMENT_NOT_CONFIRMED', () => {
    const world = worldIn('ACTIVE')
    world.atTheEnd('PROPOSED')
    expect(world.send(A, 'resolve', SID).code).toBe('AGREEMENT_NOT_CONFIRMED')
  })

  test('L9 a second dialogue with the same person: CONFLICT', () => {
    expect(worldIn('INVITED').send(A, 'create', { invitee: EMAIL, tokenSeed: SEED }).code).toBe('CONFLICT')
  })

  test('L10 withdrawing after RESOLVED, archiving while ACTIVE: INVALID_STATE_TRANSITION', () => {
    expect(worldIn('RESOLVED').send(A, 'withdraw', SID).code).toBe('INVALID_STATE_TRANSITION')
    expect(worldIn('ACTIVE').send(A, 'archive', SID).code).toBe('INVALID_STATE_TRANSITION')
  })
})
