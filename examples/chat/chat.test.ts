import { checkMachine, machineHarness, testCluster } from 'holdfast/testing'
import { expect, test } from 'vitest'
import { chat, HISTORY_MAX } from './chat.ts'

test('who is in a room hears what is said there, and who is not may say nothing', () => {
  const world = machineHarness(chat)
  const [ada, grace, eve] = ['ada', 'grace', 'eve'].map((name) => world.session(`user:${name}`))
  if (ada === undefined || grace === undefined || eve === undefined) throw new Error('no sessions')
  ada.machines.chat.join({ room: 'tea', name: 'Ada' })
  expect(grace.machines.chat.join({ room: 'tea', name: 'Grace' })).toEqual({ kind: 'ok', value: ['Ada', 'Grace'] })
  grace.acknowledge()
  expect(ada.machines.chat.say({ room: 'tea', text: 'Hello' })).toEqual({ kind: 'ok', value: { number: 1 } })
  const heard = { room: 'tea', number: 1, from: 'Ada', text: 'Hello' }
  expect(grace.requests).toMatchObject([{ type: 'chat.said', payload: heard }])
  expect(eve.machines.chat.say({ room: 'tea', text: 'Hm' })).toMatchObject({ kind: 'rejected', code: 'NOT_A_MEMBER' })
  expect(eve.requests).toEqual([])
})

test('the end of a session takes its holder out of every room, and the others hear of it', () => {
  const world = machineHarness(chat)
  const ada = world.session('user:ada')
  const grace = world.session('user:grace')
  for (const room of ['tea', 'work']) {
    ada.machines.chat.join({ room, name: 'Ada' })
    grace.machines.chat.join({ room, name: 'Grace' })
  }
  ada.acknowledge()
  grace.expire()
  expect(ada.requests.map(({ payload }) => payload)).toEqual([
    { room: 'tea', name: 'Grace', present: false },
    { room: 'work', name: 'Grace', present: false },
  ])
  expect(ada.queries.chat.present('work')).toEqual({ kind: 'ok', value: ['Ada'] })
  expect(world.table('chat', 'members')).toHaveLength(2)
})

test('a room keeps its last messages, and numbers go on', () => {
  const ada = machineHarness(chat).session('user:ada')
  ada.machines.chat.join({ room: 'tea', name: 'Ada' })
  for (let number = 1; number <= HISTORY_MAX + 3; number += 1) ada.machines.chat.say({ room: 'tea', text: `${number}` })
  const history = ada.queries.chat.history('tea')
  if (history.kind !== 'ok') throw new Error(history.code)
  expect([history.value.length, history.value[0]?.number, history.value.at(-1)?.text]).toEqual([100, 4, '103'])
})

test('a client that vanishes is gone from the room once its session has timed out', async () => {
  const cluster = testCluster([chat], { nodes: 3 })
  const ada = await cluster.session('user:ada')
  const grace = await cluster.session('user:grace', { timeoutMs: 5_000 })
  const seen: boolean[] = []
  ada.on('chat.presence', ({ payload }) => {
    if (payload.name === 'Grace') seen.push(payload.present)
  })
  await ada.machines.chat.join({ room: 'tea', name: 'Ada' })
  grace.on('*', () => undefined)
  await grace.machines.chat.join({ room: 'tea', name: 'Grace' })
  grace.detach()
  await cluster.until(() => seen.at(-1) === false)
  expect(await ada.queries.chat.present('tea')).toMatchObject({ kind: 'ok', value: ['Ada'] })
  await cluster.close()
})

test('replicas agree, whatever is done in whatever order', async () => {
  await checkMachine(chat, { runs: 10 })
})
