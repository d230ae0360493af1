import { expect, test, vi } from 'vitest'
import { counter } from '../../../src/machines/index.ts'
import { operatorNode } from '../sessions/operator-node.ts'

/** What is not acknowledged within a tenth of a second is dead. */
const limits = { attemptsMax: 1, ackTimeoutMs: 100, ackTimeoutMaxMs: 100 }
const { session, holdfast } = operatorNode([counter], { limits })

const listed = async (...words: string[]) =>
  JSON.parse((await holdfast('dead-letters', 'list', ...words, '--json')).out).letters

test('requests that nobody acknowledged are listed, sent again once, and forgotten', async () => {
  const ada = await session('user:ada', { name: 'till', onUnhandledRequest: () => undefined })
  const { id } = ada
  for (let by = 1; by <= 3; by += 1) await ada.execute('counter', 'increment', { name: 'visits', by })
  await vi.waitFor(async () => expect(await listed()).toHaveLength(3), { timeout: 20_000 })
  const resume = ada.detach()
  expect(await listed('--session', id, '--payloads')).toMatchObject(
    [1, 3, 6].map((value, at) => ({
      letter: at + 1,
      session: id,
      alive: true,
      clientName: 'till',
      request: { id: at + 1, type: 'counter.changed', payload: { name: 'visits', value } },
    })),
  )
  expect((await holdfast('dead-letters', 'list', '--limit', '1')).err).toContain('There are more than these 1')

  expect(await holdfast('dead-letters', 'redrive', '2', '2')).toMatchObject({
    code: 0,
    out: '2 waits for its session again\n',
  })
  expect(await holdfast('dead-letters', 'redrive', '2')).toMatchObject({
    code: 0,
    out: '2 was sent again before\n',
  })
  expect(await holdfast('dead-letters', 'discard', '2', '9')).toMatchObject({
    code: 4,
    out: '2 was sent again before\n9 is no dead letter (any more)\n',
    err: expect.stringContaining('2 of 2 were not moved, the first is 2: it was sent again before'),
  })
  const rest = await holdfast('dead-letters', 'redrive', '--all', '--session', id, '--json')
  expect(JSON.parse(rest.out).letters).toMatchObject([{ letter: 1 }, { letter: 3, outcome: 'redriven' }])
  expect(await holdfast('dead-letters', 'redrive', '--all')).toMatchObject({
    code: 0,
    out: 'there are no dead letters\n',
  })

  const seen: unknown[] = []
  const again = await session('user:ada', { resume, onUnhandledRequest: () => undefined })
  again.on('*', ({ payload }: { payload: unknown }) => void seen.push(payload))
  await vi.waitFor(() => expect(seen).toHaveLength(3), { timeout: 20_000 })
  expect(seen).toEqual([3, 1, 6].map((value) => ({ name: 'visits', value })))
})

test('of a session that has ended they can only be discarded', async () => {
  const bob = await session('user:bob', { onUnhandledRequest: () => undefined })
  await bob.execute('counter', 'increment', { name: 'bobs', by: 1 })
  const [letter] = await vi.waitFor(
    async () => {
      const letters = await listed('--session', bob.id)
      expect(letters).toHaveLength(1)
      return letters
    },
    { timeout: 20_000 },
  )
  await bob.close()
  const number = String(letter.letter)
  expect(await holdfast('dead-letters', 'redrive', number)).toMatchObject({
    code: 4,
    out: `${number} stays: its session has ended\n`,
  })
  expect(await holdfast('dead-letters', 'discard', number)).toMatchObject({ code: 0, out: `${number} is forgotten\n` })
  expect(await listed('--session', bob.id)).toEqual([])
})

test('words that name no letters end with 2', async () => {
  for (const words of [[], ['x'], ['0'], ['3', '--all'], ['3', '--session', '0/1/3']])
    expect(await holdfast('dead-letters', 'redrive', ...words)).toMatchObject({ code: 2, out: '' })
})
