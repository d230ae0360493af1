import { describe, expect, test } from 'vitest'
import { DAY_MS, MINUTE_MS } from '../../../../src/base/time.ts'
import { ADMIN, CLIENT, PRICE, STRANGER, THERAPIST, WORKER, World } from '../world.ts'
import { STATES } from './command-table.ts'

describe('domain.md §3.4 joinVideo', () => {
  test('domain.md §3.6 rule 1: only the two who meet; the administrator and the worker do not', () => {
    const world = new World()
    const id = world.booked('ready')
    world.passToStart(id, 0)
    for (const principal of [STRANGER, ADMIN, WORKER]) {
      expect(world.refused(principal, 'joinVideo', { id })).toMatchObject({ code: 'FORBIDDEN', details: { id } })
    }
  })

  test.each([
    [-15 * MINUTE_MS - 1, 'OUTSIDE_JOIN_WINDOW'],
    [-15 * MINUTE_MS, null],
    [120 * MINUTE_MS, null],
    [120 * MINUTE_MS + 1, 'OUTSIDE_JOIN_WINDOW'],
  ])('domain.md §3.6 rule 5 at %i ms from the start: %s', (fromStart, code) => {
    const world = new World()
    // A session that lasts as long as the door is open, so that nothing ends it before.
    const id = world.booked('ready', { durationMin: 240 })
    const { startsAt } = world.view(id)
    if (fromStart > 0) {
      world.passToStart(id, 0)
      for (const principal of [CLIENT, THERAPIST]) world.ok(principal, 'joinVideo', { id })
      world.ok(CLIENT, 'leaveVideo', { id })
    }
    world.passToStart(id, fromStart)
    if (code === null) {
      expect(world.ok(CLIENT, 'joinVideo', { id })).toMatchObject({ id })
      return
    }
    const opensAt = startsAt - 15 * MINUTE_MS
    const closesAt = startsAt + 120 * MINUTE_MS
    expect(world.refused(CLIENT, 'joinVideo', { id })).toEqual({ kind: 'reject', code, details: { opensAt, closesAt } })
    expect(world.answer(CLIENT, 'canJoin', { id })).toEqual({ ok: false, code, opensAt, closesAt })
  })

  test('domain.md §3.6 canJoin says in every state what joinVideo would', () => {
    for (const state of STATES) {
      const world = new World()
      const id = world.booked(state)
      for (const principal of [CLIENT, THERAPIST]) {
        const said = world.answer(principal, 'canJoin', { id })
        const outcome = world.send(principal, 'joinVideo', { id })
        expect(said['code'], `${state} ${principal}`).toBe(outcome.kind === 'reject' ? outcome.code : null)
      }
    }
  })

  test('domain.md §3.4 the first waits and the other is told; with the second the session begins and both are told', () => {
    const world = new World()
    const id = world.booked('ready')
    world.passToStart(id, -10 * MINUTE_MS)
    for (const principal of [CLIENT, THERAPIST]) world.acknowledge(principal)
    expect(world.ok(CLIENT, 'joinVideo', { id })).toEqual({
      id,
      payment: 'confirmed',
      session: 'ready',
      video: 'waiting_for_participants',
    })
    expect(world.notes(THERAPIST)).toMatchObject([{ topic: 'video.waiting', body: { bookingId: id, who: 'client' } }])
    expect(world.topics(CLIENT)).toEqual([])
    expect(world.ok(CLIENT, 'joinVideo', { id })).toMatchObject({ session: 'ready', alreadyJoined: true })
    expect(world.ok(THERAPIST, 'joinVideo', { id })).toMatchObject({ session: 'in_progress', video: 'active' })
    for (const principal of [CLIENT, THERAPIST]) expect(world.topics(principal)).toContain('session.started')
    expect(world.view(id)).toMatchObject({
      actualStart: world.now,
      attendance: {
        client: { joinedAt: world.now, leftAt: null },
        therapist: { joinedAt: world.now, leftAt: null },
      },
    })
    const group = world.audit(id).filter(({ by, action }) => by === THERAPIST && action === 'joinVideo')
    expect(group.map(({ entity, from, to }) => [entity, from, to])).toEqual([
      ['session', 'ready', 'in_progress'],
      ['video', 'waiting_for_participants', 'active'],
    ])
    expect(new Set(group.map((record) => record.group)).size).toBe(1)
  })

  test('domain.md §3.4 who comes when the other has left waits; the session begins when both are there', () => {
    const world = new World()
    const id = world.booked('ready_waiting')
    world.ok(CLIENT, 'leaveVideo', { id })
    world.acknowledge(CLIENT)
    expect(world.ok(THERAPIST, 'joinVideo', { id })).toMatchObject({
      session: 'ready',
      video: 'waiting_for_participants',
    })
    expect(world.notes(CLIENT)).toMatchObject([{ topic: 'video.waiting', body: { who: 'therapist' } }])
    expect(world.ok(CLIENT, 'joinVideo', { id })).toMatchObject({ session: 'in_progress', video: 'active' })
  })

  test('domain.md §3.4 who left an active call comes back into it; in progress the call is active again with both', () => {
    const world = new World()
    const id = world.booked('in_progress')
    const started = world.view(id).actualStart
    world.ok(CLIENT, 'leaveVideo', { id })
    expect(world.refused(CLIENT, 'leaveVideo', { id })).toMatchObject({ code: 'INVALID_STATE_TRANSITION' })
    const back = world.ok(CLIENT, 'joinVideo', { id })
    expect(back).toEqual({ id, payment: 'confirmed', session: 'in_progress', video: 'active' })
    world.ok(WORKER, 'reportVideoFailure', { id, detail: 'the provider ended the call' })
    world.ok(CLIENT, 'retryVideo', { id })
    expect(world.ok(THERAPIST, 'joinVideo', { id })).toMatchObject({ video: 'waiting_for_participants' })
    expect(world.ok(CLIENT, 'joinVideo', { id })).toMatchObject({ session: 'in_progress', video: 'active' })
    expect(world.view(id).actualStart).toBe(started)
  })
})

describe('domain.md §3.4 a call that fails', () => {
  test('domain.md §3.4 nobody is there any more, both are told, and why is in the audit trail', () => {
    const world = new World()
    const id = world.booked('in_progress')
    for (const principal of [CLIENT, THERAPIST]) world.acknowledge(principal)
    world.pass(MINUTE_MS)
    world.ok(CLIENT, 'reportVideoFailure', { id, detail: ' no sound ' })
    for (const principal of [CLIENT, THERAPIST]) {
      expect(world.notes(principal)).toMatchObject([{ topic: 'video.failed', body: { bookingId: id } }])
    }
    const { attendance } = world.view(id)
    expect(attendance?.client.leftAt).toBe(world.now)
    expect(attendance?.therapist.leftAt).toBe(world.now)
    expect(world.audit(id).at(-1)).toMatchObject({ entity: 'video', from: 'active', to: 'failed', reason: 'no sound' })
    expect(world.refused(CLIENT, 'leaveVideo', { id })).toMatchObject({ code: 'INVALID_STATE_TRANSITION' })
  })

  test('domain.md §3.4 a report without a word is VALIDATION_ERROR, and strangers cannot report', () => {
    const world = new World()
    const id = world.booked('in_progress')
    expect(world.refused(CLIENT, 'reportVideoFailure', { id, detail: '  ' })).toMatchObject({
      code: 'VALIDATION_ERROR',
    })
    for (const principal of [STRANGER, ADMIN]) {
      expect(world.refused(principal, 'reportVideoFailure', { id, detail: 'x' })).toMatchObject({ code: 'FORBIDDEN' })
    }
    const unknown = { id: 'bkg-404', detail: 'x' }
    expect(world.refused(WORKER, 'reportVideoFailure', unknown)).toMatchObject({ code: 'NOT_FOUND' })
  })

  test('domain.md §3.4 a refusal of the call names the call’s state and where it may go', () => {
    const world = new World()
    const id = world.booked('in_progress')
    expect(world.refused(CLIENT, 'retryVideo', { id }).details).toEqual({
      entity: 'video',
      from: 'active',
      to: 'waiting_for_participants',
      event: 'retryVideo',
      allowed: ['ended', 'failed'],
    })
  })
})

describe('domain.md §3.4 endSession', () => {
  test('domain.md §3.4 K7 the call ends with the session, in one group, and both are told; again it is a duplicate', () => {
    for (const [state, video] of [
      ['in_progress', ['ended']],
      ['in_progress_waiting', ['ended']],
      ['in_progress_failed', ['waiting_for_participants', 'ended']],
    ] as const) {
      const world = new World()
      const id = world.booked(state)
      world.ok(CLIENT, 'endSession', { id })
      const group = world.audit(id).filter(({ action }) => action === 'endSession')
      expect(group.map(({ entity, to }) => `${entity} ${to}`)).toEqual([
        'session completed',
        ...video.map((to) => `video ${to}`),
      ])
      expect(new Set(group.map((record) => record.group)).size).toBe(1)
      expect(world.view(id)).toMatchObject({ endedAt: world.now, refunds: [] })
      for (const principal of [CLIENT, THERAPIST]) expect(world.topics(principal).at(-1)).toBe('session.completed')
      expect(world.ok(THERAPIST, 'endSession', { id })).toMatchObject({ session: 'completed', duplicate: true })
    }
  })
})

describe('domain.md §3.4 markNoShow', () => {
  /** Ready at the very moment at which the timer is due: the money came after the start. */
  function lateReady() {
    const world = new World()
    const id = world.booked('payment_pending', { startsAt: world.now + 10 * MINUTE_MS, forms: [] })
    world.startPushes()
    world.pass(26 * MINUTE_MS)
    world.callback({ attemptId: world.attempt(id), receipt: 'R-1' })
    world.ok(THERAPIST, 'routeAfterPayment', { id })
    return { world, id }
  }

  test('domain.md §3.4 K8 an absent therapist: everything back, and somebody looks at it', () => {
    for (const issuer of [CLIENT, ADMIN]) {
      const { world, id } = lateReady()
      const answer = world.ok(issuer, 'markNoShow', { id, who: 'therapist' })
      expect(answer).toMatchObject({ payment: 'refunded', session: 'no_show_therapist', video: 'not_started' })
      expect(world.view(id)).toMatchObject({
        therapistReview: true,
        refunds: [{ reason: 'THERAPIST_NO_SHOW', pct: 100, amountMinor: PRICE, status: 'QUEUED' }],
      })
      for (const principal of [CLIENT, THERAPIST]) {
        const note = world.notes(principal).find(({ topic }) => topic === 'booking.no_show')
        expect(note?.body).toEqual({ bookingId: id, who: 'therapist' })
      }
    }
  })

  test('domain.md §3.4 K9 an absent client: nothing back', () => {
    for (const issuer of [THERAPIST, ADMIN]) {
      const { world, id } = lateReady()
      const answer = world.ok(issuer, 'markNoShow', { id, who: 'client' })
      expect(answer).toMatchObject({ payment: 'confirmed', session: 'no_show_client', video: 'not_started' })
      expect(world.view(id)).toMatchObject({ therapistReview: false, refunds: [] })
    }
  })

  test('domain.md §3.4 who came, however briefly, is CONFLICT ATTENDED, though his call failed or he left', () => {
    for (const leaving of ['leaveVideo', 'reportVideoFailure'] as const) {
      const world = new World()
      const id = world.booked('ready_waiting')
      world.ok(CLIENT, leaving, { id, ...(leaving === 'leaveVideo' ? {} : { detail: 'x' }) })
      if (leaving === 'reportVideoFailure') world.ok(CLIENT, 'retryVideo', { id })
      world.ok(THERAPIST, 'joinVideo', { id })
      world.passToStart(id, 15 * MINUTE_MS)
      for (const [issuer, who] of [
        [THERAPIST, 'client'],
        [CLIENT, 'therapist'],
      ] as const) {
        expect(world.refused(issuer, 'markNoShow', { id, who })).toMatchObject({
          code: 'CONFLICT',
          details: { reason: 'ATTENDED' },
        })
      }
    }
  })

  test('domain.md §3.11 P11 a no-show is TOO_EARLY until 15 minutes after the start', () => {
    const world = new World()
    const id = world.booked('ready')
    const { startsAt } = world.view(id)
    for (const fromStart of [-DAY_MS, 10 * MINUTE_MS, 15 * MINUTE_MS - 1]) {
      world.passToStart(id, fromStart)
      expect(world.refused(CLIENT, 'markNoShow', { id, who: 'therapist' })).toMatchObject({
        code: 'TOO_EARLY',
        details: { notBefore: startsAt + 15 * MINUTE_MS },
      })
    }
  })

  test('domain.md §3.4 nobody reports himself', () => {
    const world = new World()
    const id = world.booked('ready')
    expect(world.refused(CLIENT, 'markNoShow', { id, who: 'client' })).toMatchObject({ code: 'FORBIDDEN' })
    expect(world.refused(THERAPIST, 'markNoShow', { id, who: 'therapist' })).toMatchObject({ code: 'FORBIDDEN' })
  })
})
