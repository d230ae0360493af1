import { describe, expect, test } from 'vitest'
import { MINUTE_MS } from '../../../../src/base/time.ts'
import { CLIENT, PRICE, THERAPIST, World } from '../world.ts'

describe('domain.md §3.8 no-show', () => {
  test.each([
    ['client', CLIENT, 'refunded/no_show_therapist/ended', 100],
    ['therapist', THERAPIST, 'confirmed/no_show_client/ended', null],
  ] as const)('domain.md §3.8 only the %s came: %s at 15 min', (who, principal, triple, pct) => {
    const world = new World()
    const id = world.booked('ready')
    world.passToStart(id, -10 * MINUTE_MS)
    world.ok(principal, 'joinVideo', { id })
    world.passToStart(id, 15 * MINUTE_MS - 1)
    expect(world.triple(id)).toBe('confirmed/ready/waiting_for_participants')
    world.pass(1)
    expect(world.triple(id)).toBe(triple)
    const refunds = pct === null ? [] : [{ reason: 'THERAPIST_NO_SHOW', pct, amountMinor: PRICE }]
    expect(world.view(id)).toMatchObject({ refunds, therapistReview: who === 'client', cancel: null })
    expect(world.audit(id).at(-1)).toMatchObject({ action: 'no-show', by: 'system' })
    for (const told of [CLIENT, THERAPIST]) expect(world.topics(told)).toContain('booking.no_show')
  })

  test('domain.md §3.8 who joined and left, or whose call failed, has attended', () => {
    for (const gone of ['leaveVideo', 'reportVideoFailure'] as const) {
      const world = new World()
      const id = world.booked('ready_waiting')
      world.ok(CLIENT, gone, { id, ...(gone === 'leaveVideo' ? {} : { detail: 'x' }) })
      world.passToStart(id, 15 * MINUTE_MS)
      expect(world.triple(id)).toBe('refunded/no_show_therapist/ended')
    }
  })

  test('domain.md §3.8 both came and never met: they still may while the door is open, and nobody is absent', () => {
    const world = new World()
    const id = world.booked('ready_waiting')
    world.ok(CLIENT, 'leaveVideo', { id })
    world.ok(THERAPIST, 'joinVideo', { id })
    world.passToStart(id, 120 * MINUTE_MS)
    expect(world.triple(id)).toBe('confirmed/ready/waiting_for_participants')
    world.pass(1)
    expect(world.triple(id)).toBe('refunded/cancelled/ended')
    expect(world.view(id)).toMatchObject({
      cancel: { reason: 'system_lapse', role: 'system' },
      manualReview: true,
      refunds: [{ reason: 'SYSTEM_LAPSE', pct: 100, amountMinor: PRICE }],
    })
  })

  test('domain.md §3.8 both came and meet in the door’s last millisecond: the session begins', () => {
    const world = new World()
    const id = world.booked('ready_waiting')
    world.ok(CLIENT, 'leaveVideo', { id })
    world.ok(THERAPIST, 'joinVideo', { id })
    world.passToStart(id, 120 * MINUTE_MS)
    expect(world.ok(CLIENT, 'joinVideo', { id })).toMatchObject({ session: 'in_progress', video: 'active' })
  })
})

describe('domain.md §3.8 waiting-alert', () => {
  test.each(['ready_waiting', 'in_progress_waiting'])(
    'domain.md §3.8 in %s both are told after 15 min, once',
    (state) => {
      const world = new World()
      const id = world.booked(state)
      for (const principal of [CLIENT, THERAPIST]) world.acknowledge(principal)
      const who = state === 'ready_waiting' ? 'client' : null
      world.pass(15 * MINUTE_MS - 1)
      for (const principal of [CLIENT, THERAPIST]) expect(world.topics(principal)).not.toContain('video.waiting')
      world.pass(1)
      world.pass(9 * MINUTE_MS)
      for (const principal of [CLIENT, THERAPIST]) {
        const notes = world.notes(principal).filter(({ topic }) => topic === 'video.waiting')
        expect(notes.map(({ body }) => body)).toEqual([{ bookingId: id, who, reminder: true }])
      }
    },
  )

  test('domain.md §3.8 each wait has its own alert, and leaving the state ends it', () => {
    const world = new World()
    const id = world.booked('in_progress_waiting')
    world.pass(14 * MINUTE_MS)
    world.ok(CLIENT, 'reportVideoFailure', { id, detail: 'x' })
    world.acknowledge(CLIENT)
    world.pass(5 * MINUTE_MS)
    expect(world.topics(CLIENT)).toEqual([])
    world.ok(CLIENT, 'retryVideo', { id })
    world.pass(15 * MINUTE_MS)
    expect(world.topics(CLIENT)).toEqual(['video.waiting'])
    world.ok(CLIENT, 'reportVideoFailure', { id, detail: 'x' })
    world.ok(CLIENT, 'retryVideo', { id })
    world.acknowledge(CLIENT)
    world.pass(15 * MINUTE_MS)
    expect(world.topics(CLIENT)).toEqual(['video.waiting'])
  })
})

describe('domain.md §3.8 overrun', () => {
  test.each(['in_progress', 'in_progress_waiting', 'in_progress_failed'])(
    'domain.md §3.8 in %s the session ends 30 min after its booked end, counted from when it began',
    (state) => {
      const world = new World()
      const id = world.booked(state)
      world.pass(90 * MINUTE_MS - 1)
      expect(world.view(id).session).toBe('in_progress')
      world.pass(1)
      expect(world.triple(id)).toBe('confirmed/completed/ended')
      expect(world.view(id)).toMatchObject({ endedAt: world.now, refunds: [] })
      expect(world.audit(id).at(-1)).toMatchObject({ action: 'overrun', by: 'system' })
      for (const principal of [CLIENT, THERAPIST]) expect(world.topics(principal)).toContain('session.completed')
    },
  )

  test('domain.md §3.8 a session that is over leaves no timer behind, however it ended', () => {
    for (const state of ['completed', 'no_show_client', 'no_show_therapist', 'in_progress_failed']) {
      const world = new World()
      const id = world.booked(state)
      if (state === 'in_progress_failed') world.ok(THERAPIST, 'cancel', { id, reason: 'other' })
      for (const task of world.tasks('payment.refund')) world.complete(task, { providerRef: 'B2C' })
      expect(world.log.machine.counts, state).toMatchObject({ timers: 0, tasks: 0 })
    }
  })
})

describe('domain.md §0.3 D3', () => {
  test('domain.md §0.3 D3 the whole of a call: one long silence or a Tick a minute end alike', () => {
    const end = (step: number): unknown => {
      const world = new World()
      const id = world.booked('in_progress')
      world.ok(CLIENT, 'reportVideoFailure', { id, detail: 'x' })
      world.ok(CLIENT, 'retryVideo', { id })
      for (let passed = 0; passed < 120 * MINUTE_MS; passed += step) world.pass(step)
      return { view: world.view(id), audit: world.audit(id).map(({ hash }) => hash), topics: world.topics(CLIENT) }
    }
    expect(end(120 * MINUTE_MS)).toEqual(end(MINUTE_MS))
  })
})
