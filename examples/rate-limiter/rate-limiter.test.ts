import { checkMachine, machineHarness } from 'holdfast/testing'
import { expect, test } from 'vitest'
import { rateLimiter, TOKEN_MS, TOKENS_MAX } from './rate-limiter.ts'

function limiter() {
  const world = machineHarness(rateLimiter)
  const session = world.session('svc:gate')
  const { take } = session.machines['rate-limiter']
  const { left } = session.queries['rate-limiter']
  return { world, take, left }
}

test('a full bucket gives all its tokens at once, and then says when the next one comes', () => {
  const { world, take } = limiter()
  for (let left = TOKENS_MAX - 1; left >= 0; left -= 1)
    expect(take({ key: 'a' })).toEqual({ kind: 'ok', value: { left } })
  const refused = take({ key: 'a' })
  expect(refused).toMatchObject({ kind: 'rejected', code: 'LIMITED', details: { retryAt: world.now + TOKEN_MS } })
  expect(take({ key: 'b' })).toMatchObject({ kind: 'ok' })
})

test('tokens come back with time, one by one, and no more than fit', () => {
  const { world, take, left } = limiter()
  take({ key: 'a', tokens: TOKENS_MAX })
  world.advance(TOKEN_MS - 1)
  expect(take({ key: 'a' })).toMatchObject({ kind: 'rejected' })
  world.advance(1)
  expect(take({ key: 'a' })).toEqual({ kind: 'ok', value: { left: 0 } })
  world.advance(TOKEN_MS * 100)
  expect(left('a')).toEqual({ kind: 'ok', value: TOKENS_MAX })
})

test('a refusal costs nothing', () => {
  const { world, take } = limiter()
  take({ key: 'a', tokens: TOKENS_MAX })
  for (let tries = 0; tries < 50; tries += 1) take({ key: 'a' })
  world.advance(TOKEN_MS)
  expect(take({ key: 'a' })).toMatchObject({ kind: 'ok' })
})

test('a bucket that is full again leaves nothing behind', () => {
  const { world, take } = limiter()
  take({ key: 'a', tokens: 3 })
  world.advance(3 * TOKEN_MS)
  expect(world.table('rate-limiter', 'buckets')).toEqual([])
  expect(world.timers).toEqual([])
})

test('replicas agree, whatever is done in whatever order', async () => {
  await checkMachine(rateLimiter, { runs: 10 })
})
