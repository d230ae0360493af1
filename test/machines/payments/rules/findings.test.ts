import { describe, expect, test } from 'vitest'
import {
  crossSync,
  INITIAL_TRIPLE,
  legalTriples,
  PAYMENT_STATES,
  paymentTransition,
  type PaymentState,
  SESSION_STATES,
  sessionTransition,
  type SessionState,
  type SyncMode,
  type Triple,
  VIDEO_STATES,
  videoTransition,
  type VideoState,
} from 'holdfast/machines'
import { planCompound } from '../../../../src/machines/payments/rules/compounds.ts'

/** The findings F1 to F14 of domain.md §3.2: each a property of the literal matrices, found by search over all triples. */

const legal = (triple: Triple, mode: SyncMode = 'literal'): boolean =>
  crossSync(triple.payment, triple.session, triple.video, mode).valid

const key = ({ payment, session, video }: Triple): string => `${payment}/${session}/${video}`

const LITERAL = legalTriples('literal')

/** Legal triples in which the session is one of these. */
const inSession = (...sessions: SessionState[]): Triple[] => LITERAL.filter(({ session }) => sessions.includes(session))

/** Where a triple may go by one step of only the named machines, into what the matrices allow. */
function steps(triple: Triple, movers: readonly (keyof Triple)[], mode: SyncMode = 'literal'): Triple[] {
  const own = <State extends string>(
    from: State,
    states: readonly State[],
    judge: (from: string, to: string) => object,
  ) => states.filter((to) => !('error' in judge(from, to)))
  const payments: PaymentState[] = own(triple.payment, PAYMENT_STATES, paymentTransition)
  const sessions: SessionState[] = own(triple.session, SESSION_STATES, sessionTransition)
  const videos: VideoState[] = own(triple.video, VIDEO_STATES, videoTransition)
  return (movers.includes('payment') ? payments : [triple.payment])
    .flatMap((payment) =>
      (movers.includes('session') ? sessions : [triple.session]).flatMap((session) =>
        (movers.includes('video') ? videos : [triple.video]).map((video): Triple => ({ payment, session, video })),
      ),
    )
    .filter((next) => legal(next, mode))
}

/** No legal triple takes this step of one machine while the two others stay. */
function neverAlone(entity: keyof Triple, from: string, to: string): boolean {
  return LITERAL.filter((triple) => triple[entity] === from).every(
    (triple) => !legal({ ...triple, [entity]: to } as Triple),
  )
}

/** The three numbers of the table in domain.md §3.2, recomputed. */
function reach(next: (triple: Triple) => Triple[]): Set<string> {
  const seen = new Map([[key(INITIAL_TRIPLE), INITIAL_TRIPLE]])
  for (const triple of seen.values()) for (const found of next(triple)) seen.set(key(found), found)
  return new Set(seen.keys())
}

describe('domain.md §3.2 findings', () => {
  test('domain.md §3.2 F1 approved→payment_pending is legal only together with pending→initiated', () => {
    expect(neverAlone('session', 'approved', 'payment_pending')).toBe(true)
    expect(neverAlone('payment', 'pending', 'initiated')).toBe(true)
    const both = inSession('approved').flatMap((triple) => steps(triple, ['payment', 'session']))
    expect(both.map(key)).toContain('initiated/payment_pending/not_started')
  })

  test('domain.md §3.2 F2 initiated→confirmed is legal only together with payment_pending→paid', () => {
    expect(neverAlone('payment', 'initiated', 'confirmed')).toBe(true)
    expect(neverAlone('session', 'payment_pending', 'paid')).toBe(true)
    expect(legal({ payment: 'confirmed', session: 'paid', video: 'not_started' })).toBe(true)
  })

  test('domain.md §3.2 F3 before the payment the session is cancelled alone only beside a failed payment', () => {
    const alone = inSession('requested', 'approved', 'payment_pending').filter((triple) =>
      legal({ ...triple, session: 'cancelled' }),
    )
    expect(new Set(alone.map(({ payment, session }) => `${payment}/${session}`))).toEqual(
      new Set(['failed/payment_pending']),
    )
    for (const triple of inSession('requested', 'approved', 'payment_pending')) {
      if (triple.video !== 'not_started') continue
      expect(steps(triple, ['payment', 'session']).some(({ session }) => session === 'cancelled')).toBe(true)
    }
  })

  test('domain.md §3.2 F4 after the payment no cancellation is legal without confirmed→refunded', () => {
    for (const session of ['paid', 'forms_required', 'ready', 'in_progress'] as const) {
      for (const triple of inSession(session)) {
        expect(triple.payment).toBe('confirmed')
        expect(legal({ ...triple, session: 'cancelled' }), key(triple)).toBe(false)
      }
    }
    expect(crossSync('confirmed', 'cancelled', 'ended', 'literal')).toMatchObject({ code: 'PAYMENT_SESSION_SYNC' })
  })

  test('domain.md §3.2 F5 ready→no_show_therapist needs confirmed→refunded in the same step', () => {
    expect(neverAlone('session', 'ready', 'no_show_therapist')).toBe(true)
    const ready: Triple = { payment: 'confirmed', session: 'ready', video: 'not_started' }
    const both = steps(ready, ['payment', 'session']).filter(({ session }) => session === 'no_show_therapist')
    expect(both.map(key)).toEqual(['refunded/no_show_therapist/not_started'])
  })

  test('domain.md §3.2 F6 ready→no_show_client is impossible: no payment lists no_show_client', () => {
    expect(inSession('no_show_client')).toEqual([])
    expect(
      legalTriples('amended')
        .filter(({ session }) => session === 'no_show_client')
        .map(key),
    ).toEqual(['confirmed/no_show_client/not_started', 'confirmed/no_show_client/ended'])
  })

  test('domain.md §3.2 F7 in_progress→completed needs video→ended in the same step', () => {
    expect(neverAlone('session', 'in_progress', 'completed')).toBe(true)
    expect(inSession('in_progress').some(({ video }) => video === 'ended')).toBe(false)
    expect(inSession('completed').map(key)).toEqual(['confirmed/completed/ended'])
  })

  test('domain.md §3.2 F8 a cancellation during a call needs video→ended; in progress all three move', () => {
    for (const video of ['waiting_for_participants', 'active'] as const) {
      expect(legal({ payment: 'refunded', session: 'cancelled', video })).toBe(false)
    }
    const running: Triple = { payment: 'confirmed', session: 'in_progress', video: 'active' }
    for (const movers of [['payment', 'session'], ['session', 'video'], ['payment', 'video'], ['session']] as const) {
      expect(steps(running, movers).filter(({ session }) => session === 'cancelled')).toEqual([])
    }
    expect(steps(running, ['payment', 'session', 'video']).map(key)).toContain('refunded/cancelled/ended')
  })

  test('domain.md §3.2 F9 a call can fail nowhere where there is one, and be active where there is none', () => {
    const failed = LITERAL.filter(({ video }) => video === 'failed').map(({ session }) => session)
    expect(failed.some((session) => session === 'ready' || session === 'in_progress')).toBe(false)
    expect(failed.length).toBeGreaterThan(0)
    expect(inSession('paid').map(({ video }) => video)).toContain('active')
    expect(inSession('requested').map(({ video }) => video)).toContain('active')
  })

  test('domain.md §3.2 F10 a failed call has no way to its end in one step', () => {
    expect(videoTransition('failed', 'ended')).toMatchObject({ error: 'INVALID_STATE_TRANSITION' })
    const failed: Triple = { payment: 'confirmed', session: 'in_progress', video: 'failed' }
    for (const mode of ['literal', 'amended'] as const) {
      const ends = steps(failed, ['payment', 'session', 'video'], mode).map(({ session }) => session)
      expect(ends).not.toContain('completed')
      expect(ends).not.toContain('cancelled')
    }
    expect(planCompound('complete', failed)).toMatchObject({ triple: { session: 'completed', video: 'ended' } })
    expect(planCompound('cancelRunning', failed)).toMatchObject({ triple: { session: 'cancelled', video: 'ended' } })
  })

  test('domain.md §3.2 F11 among sessions with a row, a call is active only in progress and first waits only in ready', () => {
    const rows: readonly SessionState[] = ['ready', 'in_progress', 'completed', 'cancelled']
    const withRow = LITERAL.filter(({ session }) => rows.includes(session))
    const active = withRow.filter(({ video }) => video === 'active')
    expect(new Set(active.map(({ session }) => session))).toEqual(new Set(['in_progress']))
    const begins = withRow.filter(
      (triple) => triple.video === 'not_started' && legal({ ...triple, video: 'waiting_for_participants' }),
    )
    expect(new Set(begins.map(({ session }) => session))).toEqual(new Set(['ready']))
  })

  test('domain.md §3.2 F12 these five payment steps have no form alone; others of the payment have', () => {
    const lonely = [
      ['pending', 'cancelled'],
      ['initiated', 'cancelled'],
      ['confirmed', 'refunded'],
      ['pending', 'initiated'],
      ['initiated', 'confirmed'],
    ] as const
    for (const [from, to] of lonely) expect(neverAlone('payment', from, to), `${from}→${to}`).toBe(true)
    const alone = [
      ['payment', 'initiated', 'failed'],
      ['payment', 'failed', 'initiated'],
      ['payment', 'failed', 'cancelled'],
      ['session', 'requested', 'approved'],
      ['session', 'paid', 'forms_required'],
      ['session', 'paid', 'ready'],
      ['session', 'forms_required', 'ready'],
      ['session', 'ready', 'in_progress'],
    ] as const
    for (const [entity, from, to] of alone) expect(neverAlone(entity, from, to), `${from}→${to}`).toBe(false)
  })

  test('domain.md §3.2 F13 a refund of nothing still needs payment refunded', () => {
    for (const video of VIDEO_STATES) expect(legal({ payment: 'confirmed', session: 'cancelled', video })).toBe(false)
    expect(legal({ payment: 'refunded', session: 'cancelled', video: 'not_started' })).toBe(true)
  })

  test('domain.md §3.2 F14 a cancelled payment cannot show money that comes later', () => {
    for (const to of PAYMENT_STATES) {
      expect(paymentTransition('cancelled', to)).toMatchObject({ error: 'INVALID_STATE_TRANSITION', allowed: [] })
    }
  })
})

describe('domain.md §3.2 and 3.3 the legal triples, as they are written there', () => {
  /** Payment × session, literal and amended; session × video, literal and amended. */
  const PAYMENT_ROWS: { readonly [payment: string]: string } = {
    pending: 'requested approved',
    initiated: 'payment_pending',
    confirmed: 'paid forms_required ready in_progress completed',
    failed: 'payment_pending cancelled',
    refunded: 'cancelled no_show_therapist',
    cancelled: 'cancelled',
  }
  const ALL = VIDEO_STATES.join(' ')
  const VIDEO_ROWS: { readonly [session: string]: string } = {
    ready: 'not_started waiting_for_participants',
    in_progress: 'waiting_for_participants active',
    completed: 'ended',
    cancelled: 'not_started ended',
  }
  const AMENDED_VIDEO_ROWS: { readonly [session: string]: string } = {
    ...VIDEO_ROWS,
    requested: 'not_started',
    approved: 'not_started',
    payment_pending: 'not_started',
    paid: 'not_started',
    forms_required: 'not_started',
    ready: `${VIDEO_ROWS['ready']} failed`,
    in_progress: `${VIDEO_ROWS['in_progress']} failed`,
    no_show_client: 'not_started ended',
    no_show_therapist: 'not_started ended',
  }

  const fromRows = (payments: typeof PAYMENT_ROWS, videos: typeof VIDEO_ROWS): string[] =>
    Object.entries(payments).flatMap(([payment, sessions]) =>
      sessions
        .split(' ')
        .flatMap((session) => (videos[session] ?? ALL).split(' ').map((video) => `${payment}/${session}/${video}`)),
    )

  test('domain.md §3.2 the literal matrices: exactly these 46 of 330 triples', () => {
    const expected = fromRows(PAYMENT_ROWS, VIDEO_ROWS)
    expect(expected).toHaveLength(46)
    expect(LITERAL.map(key).sort()).toEqual(expected.sort())
    expect(PAYMENT_STATES.length * SESSION_STATES.length * VIDEO_STATES.length).toBe(330)
  })

  test('domain.md §3.3 A1 A2 A3 the amended matrices: exactly these 23', () => {
    const payments = { ...PAYMENT_ROWS, confirmed: `${PAYMENT_ROWS['confirmed']} no_show_client` }
    const expected = fromRows(payments, AMENDED_VIDEO_ROWS)
    expect(expected).toHaveLength(23)
    expect(legalTriples('amended').map(key).sort()).toEqual(expected.sort())
  })

  test.each([
    ['literal', 10, 46],
    ['amended', 2, 21],
  ] as const)(
    'domain.md §3.2 %s: one machine at a time reaches %i triples, each by one step at once %i',
    (mode, one, each) => {
      const movers = ['payment', 'session', 'video'] as const
      const alone = (triple: Triple): Triple[] => movers.flatMap((mover) => steps(triple, [mover], mode))
      const subsets = [
        ['payment'],
        ['session'],
        ['video'],
        ['payment', 'session'],
        ['payment', 'video'],
        ['session', 'video'],
        movers,
      ] as const
      expect(reach(alone).size).toBe(one)
      expect(reach((triple) => subsets.flatMap((subset) => steps(triple, subset, mode))).size).toBe(each)
    },
  )
})
