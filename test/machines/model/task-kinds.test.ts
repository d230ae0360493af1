import { describe, expect, test } from 'vitest'
import { MINUTE_MS, SECOND_MS } from '../../../src/base/time.ts'
import { gates, payments, session } from '../../../src/machines/index.ts'
import { A, COURIER, World as Dialogues } from '../session/world.ts'
import { ANALYST, at, A as ANNE, B as BERT, type World as Gates } from '../gates/world.ts'
import { CLIENT, THERAPIST, World } from '../payments/world.ts'

/** The table of domain.md §0.7: role, lease, attempts with their backoff. */
const KINDS: {
  readonly [kind: string]: { readonly role: string; readonly leaseMs: number; readonly backoffMs: readonly number[] }
} = {
  'needs.synthesize': { role: 'analysis', leaseMs: 120 * SECOND_MS, backoffMs: [5 * SECOND_MS, 15 * SECOND_MS] },
  'common_ground.analyze': { role: 'analysis', leaseMs: 120 * SECOND_MS, backoffMs: [5 * SECOND_MS, 15 * SECOND_MS] },
  'strategies.suggest': { role: 'analysis', leaseMs: 60 * SECOND_MS, backoffMs: [5 * SECOND_MS] },
  'invitation.deliver': { role: 'delivery', leaseMs: 60 * SECOND_MS, backoffMs: [60 * SECOND_MS, 300 * SECOND_MS] },
  'payment.stk_push': { role: 'payments', leaseMs: 30 * SECOND_MS, backoffMs: [] },
  'payment.query': { role: 'payments', leaseMs: 30 * SECOND_MS, backoffMs: [30 * SECOND_MS, 60 * SECOND_MS] },
  'payment.refund': { role: 'payments', leaseMs: 30 * SECOND_MS, backoffMs: [5 * SECOND_MS, 5 * SECOND_MS] },
}

/** What a test needs of a world with one open task: when it is, whose attempt is handed out, and what the fallback left. */
interface Open {
  readonly pass: (ms: number) => void
  readonly attempt: () => number
  readonly fallback: () => unknown
}

const PUSH: { readonly [kind: string]: () => Open } = {
  'payment.stk_push': () => {
    const world = new World()
    const id = world.booked('payment_pending')
    return opened(world, 'payment.stk_push', () => [world.triple(id), world.notes(CLIENT).at(-1)?.body['reason']])
  },
  'payment.query': () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.startPushes()
    world.pass(5 * MINUTE_MS)
    return opened(world, 'payment.query', () => world.triple(id))
  },
  'payment.refund': () => {
    const world = new World()
    const id = world.booked('paid')
    world.ok(THERAPIST, 'cancel', { id, reason: 'illness' })
    return opened(world, 'payment.refund', () => [world.view(id).refunds[0]?.status, world.topics('admin:ada').at(-1)])
  },
  'invitation.deliver': () => {
    const world = new Dialogues()
    world.dialogueIn('INVITED')
    const attempt = (): number => world.of(COURIER).requests.filter(({ type }) => type !== 'notification').length
    return {
      pass: (ms) => world.harness.advance(ms),
      attempt,
      fallback: () => undelivered(world),
    }
  },
  'needs.synthesize': () => analysed(at(3), 'needs.synthesize', (world) => world.answer(ANNE, 'needs')['own']),
  'common_ground.analyze': () => {
    const world = at(3)
    for (const user of [ANNE, BERT]) world.share(user, world.need(user))
    return analysed(world, 'common_ground.analyze', () => world.answer(ANNE, 'commonGround')['analysisComplete'])
  },
  'strategies.suggest': () => {
    const world = at(4)
    world.ok(ANNE, 'requestSuggestions')
    return analysed(world, 'strategies.suggest', () => world.answer(ANNE, 'strategies')['strategies'])
  },
}

const undelivered = (world: Dialogues): unknown =>
  (world.get(A)['invitation'] as { readonly deliveryFailed: boolean }).deliveryFailed

function opened(world: World, kind: string, fallback: () => unknown): Open {
  return { pass: (ms) => world.pass(ms), attempt: () => world.tasks(kind).at(-1)?.attempt ?? 0, fallback }
}

function analysed(world: Gates, kind: string, fallback: (world: Gates) => unknown): Open {
  world.analyst()
  const handed = () =>
    world.of(ANALYST).requests.filter(({ payload }) => (payload as { kind?: string } | null)?.kind === kind)
  const attempts = () => handed().map(({ payload }) => (payload as { attempt: number }).attempt)
  return {
    pass: (ms) => world.harness.advance(ms),
    attempt: () => Math.max(0, ...attempts()),
    fallback: () => fallback(world),
  }
}

/** What is left once the last attempt has failed: the column "fallback". */
const FALLBACKS: { readonly [kind: string]: unknown } = {
  'needs.synthesize': [],
  'common_ground.analyze': true,
  'strategies.suggest': [],
  'invitation.deliver': true,
  'payment.stk_push': ['failed/payment_pending/not_started', 'PUSH_FAILED'],
  'payment.query': 'initiated/payment_pending/not_started',
  'payment.refund': ['FAILED_MANUAL', 'admin.alert'],
}

describe('domain.md §0.7 task kinds', () => {
  test('domain.md §0.7 the three machines have these kinds and no other', () => {
    const kinds = [gates, session, payments].flatMap(({ schema }) => Object.keys(schema.tasks ?? {}))
    expect(kinds).toEqual(Object.keys(KINDS))
  })

  for (const [kind, { role, leaseMs, backoffMs }] of Object.entries(KINDS)) {
    test(`domain.md §0.7 ${kind}: its role, lease, attempts and backoff, and its fallback`, () => {
      const declared = [gates, session, payments]
        .flatMap(({ schema }) => Object.entries<{ role: string; leaseMs: number }>(schema.tasks ?? {}))
        .find(([name]) => name === kind)?.[1]
      expect(declared).toMatchObject({ role, leaseMs, maxAttempts: backoffMs.length + 1, backoffMs })
      const open = PUSH[kind]?.()
      if (open === undefined) throw new Error(`no world has ${kind}`)
      for (const [at, wait] of backoffMs.entries()) {
        expect(open.attempt()).toBe(at + 1)
        // The lease runs out, and the next attempt comes when the backoff is over, not a millisecond earlier.
        open.pass(leaseMs)
        if (wait > 1) open.pass(wait - 1)
        expect(open.attempt()).toBe(at + 1)
        open.pass(1)
      }
      expect(open.attempt()).toBe(backoffMs.length + 1)
      open.pass(leaseMs - 1)
      const before = open.fallback()
      open.pass(1)
      expect(open.fallback()).toEqual(FALLBACKS[kind])
      // Where the fallback is something, the last attempt made it.
      if (kind.startsWith('payment.s') || kind.startsWith('payment.r') || kind === 'invitation.deliver')
        expect(before).not.toEqual(FALLBACKS[kind])
    })
  }

  test('domain.md §0.7 a task that nobody ever leased fails 15 min after its creation', () => {
    const alone = new Dialogues()
    alone.of(COURIER).close()
    alone.dialogueIn('INVITED')
    alone.harness.advance(15 * MINUTE_MS - 1)
    expect(undelivered(alone)).toBe(false)
    alone.harness.advance(1)
    expect(undelivered(alone)).toBe(true)
    expect(alone.get(A)['status']).toBe('INVITED')
  })
})
