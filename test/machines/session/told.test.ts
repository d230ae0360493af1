import { describe, expect, test } from 'vitest'
import { A, B, COURIER, DAY, HOUR, SEED, TOKEN, World, type Answer } from './world.ts'

const SID = { sid: 'ses-1' }

function worldIn(status: Parameters<World['dialogueIn']>[0]): World {
  const world = new World()
  world.dialogueIn(status)
  world.told(A)
  world.told(B)
  return world
}

/** What A and B are told of what happens. */
function tellings(world: World, happens: () => void): { readonly a: unknown; readonly b: unknown } {
  happens()
  return { a: world.told(A), b: world.told(B) }
}

describe('domain.md §1.6 notifications', () => {
  test('session.invitation: a task invitation.deliver, when it is sent and sent again', () => {
    const world = worldIn('INVITED')
    const payload = (): Answer => world.harness.tasks[0]?.payload as Answer
    const expected = { invitationId: 'inv-1', kind: 'email', ref: 'b@x.io', token: TOKEN, inviterName: 'a' }
    expect(payload()).toEqual({ ...expected, expiresAt: world.harness.now + 7 * DAY })
    world.harness.advance(DAY)
    world.ok(A, 'resendInvitation', SID)
    expect(payload()).toEqual({ ...expected, expiresAt: world.harness.now + 7 * DAY })
    expect(world.of(COURIER).requests.length).toBeGreaterThan(0)
  })

  test('session.activated: the creator, on accept', () => {
    const world = worldIn('INVITED')
    const accept = (): void => void world.ok(B, 'acceptInvitation', { invitationId: 'inv-1', token: TOKEN })
    expect(tellings(world, accept)).toEqual({ a: [['session.activated', { sid: 'ses-1', partnerId: B }]], b: [] })
  })

  test.each([
    [' not now ', { reason: 'not now' }],
    ['', {}],
  ])('session.declined: the creator, with reason %j', (reason, told) => {
    const world = worldIn('INVITED')
    const decline = (): void => void world.ok(B, 'declineInvitation', { invitationId: 'inv-1', token: TOKEN, reason })
    expect(tellings(world, decline)).toEqual({ a: [['session.declined', { sid: 'ses-1', ...told }]], b: [] })
    expect(world.get(A).invitation).toMatchObject({ status: 'DECLINED', declineReason: reason.trim() || null })
  })

  test('session.invitation_expired: the creator, by the timer, and nothing else', () => {
    const world = worldIn('INVITED')
    const [task] = world.harness.tasks
    if (task !== undefined) world.of(COURIER).complete(task, {})
    expect(tellings(world, () => world.harness.advance(7 * DAY))).toEqual({
      a: [['session.invitation_expired', { sid: 'ses-1' }]],
      b: [],
    })
  })

  test('session.paused: the partner of whoever paused, with the reason', () => {
    const world = worldIn('ACTIVE')
    const pause = (): void => void world.ok(B, 'pause', { ...SID, reason: 'too much', coolForMs: HOUR })
    const body = { sid: 'ses-1', by: B, reason: 'too much', coolUntil: world.harness.now + HOUR }
    expect(tellings(world, pause)).toEqual({ a: [['session.paused', body]], b: [] })
  })

  test('session.resumed: the partner of whoever resumed', () => {
    const world = worldIn('PAUSED')
    expect(tellings(world, () => void world.ok(A, 'resume', SID))).toEqual({
      a: [],
      b: [['session.resumed', { sid: 'ses-1', by: A }]],
    })
  })

  test('session.pause_reminder: both, once', () => {
    const world = worldIn('PAUSED')
    const expiresAt = world.harness.now + 30 * DAY
    const reminder = [['session.pause_reminder', { sid: 'ses-1', expiresAt }]]
    expect(tellings(world, () => world.harness.advance(7 * DAY))).toEqual({ a: reminder, b: reminder })
    expect(tellings(world, () => world.harness.advance(22 * DAY))).toEqual({ a: [], b: [] })
  })

  test('session.resolved: both, with what was agreed', () => {
    const world = worldIn('ACTIVE')
    world.atTheEnd('AGREED')
    const told = [['session.resolved', { sid: 'ses-1', agreementIds: ['agr-1'] }]]
    expect(tellings(world, () => void world.ok(B, 'resolve', SID))).toEqual({ a: told, b: told })
  })

  test.each([
    ['WITHDRAWN', 'CREATED', (world: World) => world.ok(A, 'withdraw', SID), [] as string[]],
    ['WITHDRAWN', 'ACTIVE', (world: World) => world.ok(A, 'withdraw', { ...SID, reason: 'private' }), [B]],
    ['WITHDRAWN', 'PAUSED', (world: World) => world.ok(B, 'withdraw', SID), [A]],
    ['CREATION_EXPIRED', 'CREATED', (world: World) => world.harness.advance(30 * DAY), [A]],
    ['INACTIVITY', 'ACTIVE', (world: World) => world.harness.advance(90 * DAY), [A, B]],
  ] as const)('session.abandoned for %s while %s', (cause, status, happens, who) => {
    const world = worldIn(status)
    const told = [['session.abandoned', { sid: 'ses-1', cause }]]
    expect(tellings(world, () => void happens(world))).toEqual({
      a: who.some((one) => one === A) ? told : [],
      b: who.some((one) => one === B) ? told : [],
    })
  })

  test('session.abandoned for PAUSE_EXPIRED: both, after the reminder', () => {
    const world = worldIn('PAUSED')
    const { a, b } = tellings(world, () => world.harness.advance(30 * DAY)) as { a: unknown[]; b: unknown[] }
    const last = ['session.abandoned', { sid: 'ses-1', cause: 'PAUSE_EXPIRED' }]
    expect([a.at(-1), b.at(-1), a.length, b.length]).toEqual([last, last, 2, 2])
  })
})

describe('domain.md §1.5 timers', () => {
  const armed = (world: World): string[] =>
    world.harness.timers
      .filter(({ key }) => key === 'ses-1')
      .map(({ kind, dueAt }) => `${kind} ${(dueAt - world.harness.now) / DAY}`)

  test.each([
    ['CREATED', ['creation-ttl 30']],
    ['INVITED', ['invite-expiry 7']],
    ['ACTIVE', ['inactivity 90']],
    ['PAUSED', ['pause-reminder 7', 'pause-max 30']],
    ['RESOLVED', []],
    ['ABANDONED', []],
  ] as const)('%s has these timers and no other', (status, timers) => {
    expect(armed(worldIn(status))).toEqual(timers)
  })

  test('invite-expiry: sending again arms it anew; at the end the invitation is EXPIRED', () => {
    const world = worldIn('INVITED')
    world.harness.advance(6 * DAY)
    world.ok(A, 'resendInvitation', SID)
    expect(armed(world)).toEqual(['invite-expiry 7'])
    world.harness.advance(7 * DAY)
    expect(world.get(A)).toMatchObject({ invitation: { status: 'EXPIRED' }, abandoned: { cause: 'INVITE_EXPIRED' } })
  })

  test('min cooling is 0 ms: without a wish the other one resumes at once', () => {
    expect(worldIn('PAUSED').send(B, 'resume', SID).code).toBe('ok')
  })

  test('a pause stops the timer of inactivity, and the end of it arms it anew', () => {
    const world = worldIn('PAUSED')
    world.harness.advance(29 * DAY)
    world.ok(A, 'resume', SID)
    expect(armed(world)).toEqual(['inactivity 90'])
  })
})

describe('domain.md §1.7 queries', () => {
  test('get: the note and the invitation are the creator’s alone, and no gates of the partner', () => {
    const world = worldIn('ACTIVE')
    world.stage(A, 0)
    world.stage(B, 0)
    const draft = { content: 'you seem tired', version: 1, ready: true, updatedAt: 1 }
    const signed = { signedAt: 1, feelHeardAt: null, draft, ready: null, ranking: null }
    world.put('people', ['ses-1', A], signed)
    const [a, b] = [world.get(A), world.get(B)]
    expect(a).toMatchObject({
      context: 'how we talk',
      invitation: { token: TOKEN },
      displayStatus: 'WAITING',
      waitingOn: ['partnerCompactSigned'],
      own: { stage: 0, status: 'GATE_PENDING', gates: { compactSigned: true, partnerCompactSigned: false } },
      partner: { stage: 0, status: 'IN_PROGRESS' },
    })
    expect(a.partner).not.toHaveProperty('gates')
    expect(b).toMatchObject({ context: null, invitation: null, displayStatus: 'WAITING', waitingOn: [] })
    expect(JSON.stringify(b)).not.toMatch(new RegExp(`${SEED}|b@x.io|how we talk`))
  })

  test('get: a completed stage, one not started, and one whose needs and common ground are there', () => {
    const world = worldIn('ACTIVE')
    world.put('stages', ['ses-1', A, 4], { startedAt: 1, completedAt: 2, frozenGates: [] })
    expect(world.get(A)).toMatchObject({
      own: { stage: 4, status: 'COMPLETED' },
      partner: { stage: null, status: 'NOT_STARTED' },
    })
    expect(world.get(B)).toMatchObject({ own: { stage: null, gates: {} }, displayStatus: 'ACTIVE' })
    world.stage(B, 3)
    const need = {
      source: 'USER',
      need: 'rest',
      category: 'SAFETY',
      description: 'rest',
      evidence: [],
      aiConfidence: null,
      adjustment: null,
    }
    for (const [user, decision] of [
      [A, 'CONFIRMED'],
      [B, 'CONFIRMED'],
      [B, null],
    ] as const) {
      world.put('needs', ['ses-1', user, `need-${String(decision)}`], { ...need, decision })
    }
    const consent = {
      owner: A,
      contentType: 'IDENTIFIED_NEED',
      originalId: 'n',
      transformedPreview: 'rest',
      decidedAt: 1,
    }
    world.put('consents', ['ses-1', 1], { ...consent, revokedAt: null })
    world.put('consents', ['ses-1', 2], { ...consent, revokedAt: 2 })
    const item = {
      need: 'rest',
      category: 'SAFETY',
      description: 'rest',
      confirmedBy: [A, B],
      confirmedAt: 1,
      sourceNeedA: 'con-1',
    }
    world.put('commonGround', ['ses-1', 1], { ...item, sourceNeedB: 'con-2' })
    const gates = { needsConfirmed: false, partnerNeedsConfirmed: true, commonGroundConfirmed: false }
    expect(world.get(B)).toMatchObject({ own: { gates } })
    world.put('commonGround', ['ses-1', 2], { ...item, sourceNeedB: 'con-1' })
    expect(world.get(B)).toMatchObject({ own: { gates: { ...gates, commonGroundConfirmed: true } } })
  })

  test('get before the acceptance: no stages', () => {
    expect(worldIn('INVITED').get(A)).toMatchObject({
      own: null,
      partner: null,
      displayStatus: 'INVITED',
      waitingOn: [],
    })
  })

  test('list: own dialogues, the latest first, by status, put away or not, in pages', () => {
    const world = worldIn('ABANDONED')
    world.ok(A, 'archive', SID)
    for (const digit of [1, 2, 3])
      world.ok(A, 'create', { invitee: { kind: 'phone', ref: `071234567${digit}` }, tokenSeed: SEED })
    const ids = (by: string, input: object): unknown => {
      const { value } = world.ask(by, 'list', input as Answer)
      const { sessions, cursor } = value as { sessions: readonly { id: string }[]; cursor: number | null }
      return [sessions.map(({ id }) => id), cursor]
    }
    expect(ids(A, {})).toEqual([['ses-4', 'ses-3', 'ses-2', 'ses-1'], null])
    expect(ids(A, { limit: 2 })).toEqual([['ses-4', 'ses-3'], 3])
    expect(ids(A, { limit: 2, cursor: 3 })).toEqual([['ses-2', 'ses-1'], 1])
    expect(ids(A, { status: 'ABANDONED' })).toEqual([['ses-1'], null])
    expect(ids(A, { archived: true })).toEqual([['ses-1'], null])
    expect(ids(A, { archived: false, limit: 1 })).toEqual([['ses-4'], 4])
    expect(ids(B, { archived: false })).toEqual([['ses-1'], null])
  })

  test('list: a page looks at 200 dialogues, and ends there with a cursor', () => {
    const world = new World()
    for (let number = 0; number < 201; number += 1) {
      world.ok(A, 'create', {
        invitee: { kind: 'phone', ref: `0712${String(number).padStart(6, '0')}` },
        tokenSeed: SEED,
      })
    }
    world.ok(A, 'withdraw', SID)
    const ended = (cursor: object): unknown => world.ask(A, 'list', { status: 'ABANDONED', ...cursor }).value
    expect(ended({})).toEqual({ sessions: [], cursor: 2 })
    expect(ended({ cursor: 2 })).toMatchObject({ sessions: [{ id: 'ses-1' }], cursor: null })
  })

  test('history: own messages in the order of seq, by stage, from a seq on, at most so many', () => {
    const world = worldIn('ACTIVE')
    for (const text of ['one', 'two', 'three']) {
      world.ok(A, 'postMessage', { ...SID, text })
      world.ok(B, 'postMessage', { ...SID, text: 'of b' })
    }
    world.stage(A, 1)
    world.ok(A, 'postMessage', { ...SID, text: 'four' })
    const seqs = (input: object): unknown =>
      (world.ask(A, 'history', { ...SID, ...input }).value as readonly { seq: number }[]).map(({ seq }) => seq)
    expect(seqs({})).toEqual([1, 3, 5, 7])
    expect(seqs({ afterSeq: 3 })).toEqual([5, 7])
    expect(seqs({ limit: 2 })).toEqual([1, 3])
    expect(seqs({ limit: 3 })).toEqual([1, 3, 5])
    expect(seqs({ stage: 1 })).toEqual([7])
    expect(seqs({ afterSeq: Number.MAX_SAFE_INTEGER - 1 })).toEqual([])
    const beyond = world.ask(A, 'history', { ...SID, afterSeq: Number.MAX_SAFE_INTEGER })
    expect(beyond.code).toBe('VALIDATION_ERROR')
    expect(JSON.stringify(world.ask(A, 'history', SID).value)).not.toContain('of b')
  })

  test('emotions: own readings and their trend', () => {
    const world = worldIn('PAUSED')
    const trend = (): unknown => (world.ask(B, 'emotions', SID).value as Answer).trend
    expect(trend()).toBeNull()
    for (const [intensity, expected] of [
      [4, null],
      [6, 'RISING'],
      [6, 'STEADY'],
      [2, 'FALLING'],
    ] as const) {
      world.ok(B, 'recordEmotion', { ...SID, intensity })
      world.harness.advance(30_000)
      expect(trend()).toBe(expected)
    }
    expect(world.ask(A, 'emotions', SID).value).toEqual({ readings: [], trend: null })
  })

  test('invitation: who invites, status and until when, for whoever holds id and token', () => {
    const world = worldIn('INVITED')
    const given = { invitationId: 'inv-1', token: TOKEN }
    const expiresAt = world.harness.now + 7 * DAY
    expect(world.ask('user:c', 'invitation', given).value).toEqual({ inviterName: 'a', status: 'PENDING', expiresAt })
    expect(world.ask('user:c', 'invitation', { ...given, token: 'x' }).code).toBe('NOT_FOUND')
    expect(world.ask('user:c', 'invitation', { ...given, invitationId: 'inv-2' }).code).toBe('NOT_FOUND')
  })

  test('a stranger is told of nothing, and nobody without a session', () => {
    const world = worldIn('ACTIVE')
    for (const name of ['get', 'history', 'emotions', 'audit']) {
      expect(world.ask('user:c', name, SID).code).toBe('NOT_FOUND')
      expect(world.ask('user:c', name, { sid: 'ses-99' }).code).toBe('NOT_FOUND')
      expect(world.outside(name, SID)).toBe('UNAUTHENTICATED')
    }
    expect(world.outside('list', {})).toBe('UNAUTHENTICATED')
    expect(world.outside('invitation', { invitationId: 'inv-1', token: TOKEN })).toBe('UNAUTHENTICATED')
  })
})

describe('domain.md §1.8 audit', () => {
  test('every change of the status, with who, why and by which entry', () => {
    const world = worldIn('PAUSED')
    world.harness.advance(30 * DAY)
    const records = world.ask(B, 'audit', SID).value as readonly Answer[]
    const steps = records.map(({ seq, from, to, by, cause }) => [seq, from, to, by, cause])
    expect(steps).toEqual([
      [1, null, 'CREATED', A, null],
      [2, 'CREATED', 'INVITED', A, null],
      [3, 'INVITED', 'ACTIVE', B, null],
      [4, 'ACTIVE', 'PAUSED', A, null],
      [5, 'PAUSED', 'ABANDONED', 'system', 'PAUSE_EXPIRED'],
    ])
    // Of the partner's client nobody learns.
    expect(records.map(({ session }) => session)).toEqual([null, null, world.of(B).id, null, null])
    const ofA = world.ask(A, 'audit', { sid: 'ses-1', from: 3 }).value as readonly Answer[]
    expect(ofA.map(({ seq, session }) => [seq, session])).toEqual([
      [3, null],
      [4, world.of(A).id],
      [5, null],
    ])
    expect(records.every(({ sid }) => sid === 'ses-1')).toBe(true)
  })
})
