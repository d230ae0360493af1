import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Random } from '../../../src/base/random.ts'
import { base64, EtcdApi, valueIn } from '../../../bench/faults/etcd/etcd-api.ts'
import { EtcdLane } from '../../../bench/faults/etcd/etcd-lane.ts'
import { type HistoryEvent, operationsOf } from '../../../bench/faults/history.ts'
import { isClean, judgeRegisters } from '../../../bench/faults/verdict/judge-history.ts'

/** Answers every call by `answer`, of its path and body; null: not at all. */
async function gateway(
  answer: (path: string, body: string) => { status: number; body: object } | null,
): Promise<string> {
  const server: Server = createServer(async (request, response) => {
    let text = ''
    for await (const part of request) text += String(part)
    const given = answer(request.url ?? '', text)
    if (given !== null) response.writeHead(given.status).end(JSON.stringify(given.body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function api(): EtcdApi {
  const made = new EtcdApi()
  onTestFinished(() => made.close())
  return made
}

test('a call gives what the gateway answers, and a register that nobody wrote has no value', async () => {
  const endpoint = await gateway((path) => ({
    status: 200,
    body: path === '/v3/kv/range' ? { kvs: [{ value: base64('7') }] } : {},
  }))
  expect(valueIn(await api().call(endpoint, 'kv/range', {}, 10_000))).toBe(7)
  expect(valueIn(await api().call(endpoint, 'kv/other', {}, 10_000))).toBeNull()
})

test('what was refused by whoever listens, or has no answer in time, may have been done; what nobody listened to was not', async () => {
  const failing = await gateway((path) => (path === '/v3/a' ? { status: 503, body: { error: 'no leader' } } : null))
  await expect(api().call(failing, 'a', {}, 10_000)).rejects.toMatchObject({ sent: true })
  await expect(api().call(failing, 'b', {}, 30)).rejects.toMatchObject({ sent: true })
  await expect(api().call('127.0.0.1:1', 'a', {}, 10_000)).rejects.toMatchObject({ sent: false })
})

/** What one lane did with registers until so many calls were answered. */
async function lived(answers: number, member: (path: string, body: string) => { status: number; body: object } | null) {
  const events: HistoryEvent[] = []
  let done: (value: null) => void
  const enough = new Promise((resolve) => (done = resolve))
  const endpoint = await gateway(member)
  const note = (event: HistoryEvent): void => {
    events.push(event)
    if (events.filter(({ type }) => type !== 'invoke').length === answers) done(null)
  }
  const rest = {
    member: 0,
    kind: 'lane',
    api: api(),
    random: new Random(1, 1),
    note,
    nowNs: () => events.length,
  } as const
  const lane = new EtcdLane({ process: 0, processes: 10, endpoints: [endpoint], ...rest })
  await enough
  await lane.stop()
  return events
}

test('a lane compares, writes and reads; a register that answers what nobody wrote is caught', async () => {
  const registers = new Map<string, string>()
  const member = (path: string, text: string): { status: number; body: object } => {
    const { key, value, compare, success } = JSON.parse(text) as {
      key: string
      value: string
      compare?: [{ key: string; value: string }]
      success?: [{ requestPut: { value: string } }]
    }
    const at = (name: string): string => registers.get(name) ?? base64('0')
    if (path === '/v3/kv/range') return { status: 200, body: { kvs: [{ value: at(key) }] } }
    if (compare === undefined) registers.set(key, value)
    else if (at(compare[0].key) !== compare[0].value) return { status: 200, body: {} }
    else registers.set(compare[0].key, success?.[0].requestPut.value ?? '')
    return { status: 200, body: compare === undefined ? {} : { succeeded: true } }
  }
  const events = await lived(25, member)
  expect(new Set(events.map(({ f }) => f)).size).toBe(3)
  expect(isClean(judgeRegisters(operationsOf(events)))).toBe(true)
  const invented = { status: 200, body: { kvs: [{ value: base64('9') }] } }
  const wrong = await lived(15, (path, text) => (path === '/v3/kv/range' ? invented : member(path, text)))
  expect(judgeRegisters(operationsOf(wrong)).violated).toBeGreaterThan(0)
})

test('a write that fails is of unknown outcome, and its lane goes on as another process; a read that fails is not', async () => {
  const operations = operationsOf(await lived(12, () => ({ status: 503, body: {} })))
  expect(
    operations.filter(({ type, step }) => type === 'ok' || (type === 'fail') !== (step.f === 'register.read')),
  ).toEqual([])
  const unknown = operations.filter(({ type }) => type === 'info').map(({ process }) => process)
  expect(unknown).toEqual([...new Set(unknown)])
  expect(unknown.length).toBeGreaterThan(2)
})
