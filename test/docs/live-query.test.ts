import { counter } from '../../src/machines/counter.ts'
import { embeddedNode } from '../../src/testing/index.ts'
import { expect, onTestFinished, test } from 'vitest'

test('the loop of docs/concepts/queries.md hears every value, and each after the answer to its command', async () => {
  const node = await embeddedNode({ machines: [counter] })
  onTestFinished(() => node.close())
  const session = await node.session('user:ada')
  const writer = await node.session('user:bob')
  writer.on('*', () => {})
  const seen: { readonly kind: string; readonly value: number; readonly index: number }[] = []
  const reading = (async () => {
    for await (const { kind, value, index } of session.live.counter.value('visits')) {
      seen.push({ kind, value, index })
      if (value >= 3) break
    }
  })()
  await expect.poll(() => seen.length).toBe(1)
  const done = Array.from({ length: 3 }, () => writer.machines.counter.increment({ name: 'visits', by: 1 }))
  const indexes = (await Promise.all(done)).map((outcome) => (outcome.kind === 'ok' ? outcome.index : 0))
  await reading
  expect(seen.map(({ value }) => value)).toEqual([0, 1, 2, 3])
  expect(seen.map(({ kind }) => kind)).toEqual(['value', 'value', 'value', 'value'])
  expect(seen.slice(1).map(({ index }) => index)).toEqual(indexes)
})

test('a subscription that cannot be rejects with the code, and ends with its session', async () => {
  const node = await embeddedNode({ machines: [counter] })
  onTestFinished(() => node.close())
  const session = await node.session('user:ada')
  const live = session.live.counter.value('visits')
  expect((await live.next()).value).toMatchObject({ kind: 'value', value: 0 })
  await expect(session.subscribe('counter', 'nothing', null).next()).rejects.toMatchObject({ code: 'UNKNOWN_QUERY' })
  expect(() => session.subscribe('counter', 'value', 'visits', { bufferBytes: -1 })).toThrow('options.bufferBytes')
  const end = live.next()
  await session.close()
  await expect(end).rejects.toMatchObject({ code: 'SESSION_CLOSED', rejected: false })
  await expect(session.subscribe('counter', 'value', 'a').next()).rejects.toMatchObject({ code: 'SESSION_CLOSED' })
})
