import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { TaskProblem } from 'holdfast'
import { type AnalysisQuestion, stubAnalysis, stubRefinement } from 'holdfast/machines'
import { embeddedNode, testCluster } from 'holdfast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { type Analyst, AnalystRefusal, stubAnalyst, taskHandlers } from './analyst.ts'
import { analystFrom, HttpAnalyst, type HttpAnalystOptions } from './http-analyst.ts'
import { DIALOGUE_MACHINES, meet } from './people.ts'

const SECRET = 'Nobody knows that I was ashamed.'
const QUESTION: AnalysisQuestion = { statement: 'You were angry.', subjectStage1: [{ seq: 1, text: SECRET }] }
const RESULT = stubAnalysis(QUESTION)
const OPEN = new AbortController().signal

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

interface Asked {
  readonly authorization: string | undefined
  readonly text: string
  /** What the model is asked about. */
  readonly question: unknown
}
type Reply = (response: ServerResponse, asked: Asked, request: IncomingMessage) => void

const saying =
  (text: string, status = 200, headers = {}): Reply =>
  (response) =>
    response.writeHead(status, headers).end(text)
const answering = (content: unknown): Reply =>
  saying(JSON.stringify({ choices: [{ message: { role: 'assistant', content: JSON.stringify(content) } }] }))
/** Headers, and half an answer. */
const halting: Reply = (response) => response.writeHead(200).write('{"choices":')

/** A model that gives these replies, the last one for ever, and its analyst, which waits for nothing. */
async function modelOf(replies: readonly Reply[], options: Partial<HttpAnalystOptions> = {}) {
  const asked: Asked[] = []
  const waits: number[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const part of request.setEncoding('utf8')) text += part
    const { messages } = JSON.parse(text) as { readonly messages: readonly { readonly content: string }[] }
    const { authorization } = request.headers
    const latest = { authorization, text, question: JSON.parse(messages[1]?.content ?? '') as unknown }
    asked.push(latest)
    replies[Math.min(asked.length, replies.length) - 1]?.(response, latest, request)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`
  const wait = async (ms: number) => waits.push(ms)
  return { url, asked, waits, analyst: new HttpAnalyst({ url, model: 'm', key: 'k', wait, ...options }) }
}

test('a model is asked with the words alone, and its answer is the result', async () => {
  const { analyst, asked } = await modelOf([answering({ ...RESULT, score: 7, more: 'left out' })])
  expect(await analyst.analyze(QUESTION, OPEN)).toEqual({ ...RESULT, score: 7 })
  expect(asked).toMatchObject([{ authorization: 'Bearer k', question: QUESTION }])
})

test.each([
  ['does not begin to answer', () => undefined],
  ['does not end its answer', halting],
] as const)('a model that %s is given up, and asked again', async (_, slow: Reply) => {
  const closed: Promise<unknown>[] = []
  const first: Reply = (response, asked, request) => {
    const { socket } = request
    closed.push(new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve)))
    slow(response, asked, request)
  }
  const { analyst, asked } = await modelOf([first, answering(RESULT)], { requestMs: 500 })
  // Nothing else may hold what ends a request: an unlucky collection would make it last for ever.
  const collecting = setInterval(collectGarbage, 50)
  onTestFinished(() => clearInterval(collecting))
  expect(await analyst.analyze(QUESTION, OPEN)).toEqual(RESULT)
  expect(asked.length).toBeGreaterThan(1)
  await Promise.all(closed)
})

test('nothing is asked any more once the lease is over', async () => {
  const lease = new AbortController()
  const { analyst, asked, waits } = await modelOf([() => lease.abort()])
  const refusal = new AnalystRefusal('no answer in time, after 1 requests')
  await expect(analyst.analyze(QUESTION, lease.signal)).rejects.toEqual(refusal)
  expect([asked.length, waits]).toEqual([1, []])
})

test('a model that fails twice is asked a third time, after longer and longer waits', async () => {
  const { analyst, asked, waits } = await modelOf([saying(SECRET, 500), saying(SECRET, 503), answering(RESULT)])
  expect(await analyst.analyze(QUESTION, OPEN)).toEqual(RESULT)
  expect([asked.length, waits.length]).toEqual([3, 2])
  const [first = 0, second = 0] = waits
  expect([first >= 250, first <= 500, second >= 500, second <= 1000]).toEqual([true, true, true, true])
})

test('a model that asks for a pause has it', async () => {
  const { analyst, waits } = await modelOf([saying('', 429, { 'retry-after': '7' }), answering(RESULT)])
  expect(await analyst.analyze(QUESTION, OPEN)).toEqual(RESULT)
  expect(waits).toEqual([7000])
})

const DISTANT = 'Fri, 31 Dec 2100 00:00:00 GMT'
test.each([
  ['has no key for it', saying(SECRET, 401), 'HTTP 401'],
  ['points elsewhere', saying(SECRET, 307, { location: 'http://127.0.0.1:1/' }), 'HTTP 307'],
  ['asks for longer than the lease', saying('', 429, { 'retry-after': '60' }), 'HTTP 429, after 1 requests'],
  ['asks for it with a date', saying('', 503, { 'retry-after': DISTANT }), 'HTTP 503, after 1 requests'],
  ['says something else', saying(SECRET), 'the answer is no chat completion'],
  ['says nothing', saying(JSON.stringify({ choices: [] })), 'the answer is no chat completion'],
  ['says it too long', saying(SECRET.repeat(10_000)), 'the answer is too long'],
  ['has prose', saying(JSON.stringify({ choices: [{ message: { content: SECRET } }] })), 'the answer is no JSON'],
  ['has fractions', answering({ ...RESULT, score: 0.5 }), 'the answer does not fit: score (invalid_type)'],
  ['invents', answering({ ...RESULT, action: SECRET }), 'the answer does not fit: action (invalid_value)'],
  ['offers nothing', answering({ ...RESULT, suggestion: null }), 'the answer does not fit: suggestion (custom)'],
] as const)('a model that %s is refused at once, and not quoted', async (_, reply: Reply, message: string) => {
  const { analyst, asked, waits } = await modelOf([reply])
  await expect(analyst.analyze(QUESTION, OPEN)).rejects.toEqual(new AnalystRefusal(message))
  expect([asked.length, waits]).toEqual([1, []])
})

test('a model that is never there is given up after five requests', async () => {
  const { analyst, waits } = await modelOf([(_response, _asked, request) => request.socket.destroy()])
  const refusal = new AnalystRefusal('no connection, after 5 requests')
  await expect(analyst.refine({ content: 'c', instruction: 'i' }, OPEN)).rejects.toEqual(refusal)
  expect(waits.length).toBe(4)
})

test.each([
  [{}, 'ANALYST_URL'],
  [{ ANALYST_URL: 'model.example', ANALYST_MODEL: 'm' }, 'ANALYST_URL'],
  [{ ANALYST_URL: 'http://model.example', ANALYST_MODEL: 'm' }, 'ANALYST_URL'],
  [{ ANALYST_URL: 'https://model.example' }, 'ANALYST_MODEL'],
])('settings %j are refused by name', (environment, name) => {
  expect(() => analystFrom(environment)).toThrow(name)
})

test('the other tasks of the role are done too, and sides have no names', async () => {
  const needs = ['con-1', 'con-2'].map((consentId, at) => ({
    consentId,
    user: ['user:ann', 'user:ben'][at] ?? '',
    category: 'SAFETY' as const,
    content: 'rest',
  }))
  const { analyst, asked } = await modelOf([answering({ items: [] }), answering({ strategies: [] }), answering({})])
  const handlers = taskHandlers(analyst)
  const attempt = { taskId: 't', attempt: 1, signal: OPEN }
  const common = { ...attempt, kind: 'common_ground.analyze' as const }
  expect(await handlers['common_ground.analyze']?.({ sid: 'ses-1', needs }, common)).toEqual({ items: [] })
  const ground = { count: 1, commonGround: [], library: [] }
  const suggest = { ...attempt, kind: 'strategies.suggest' as const }
  expect(await handlers['strategies.suggest']?.({ sid: 'ses-1', ...ground }, suggest)).toEqual({ strategies: [] })
  const words = { events: [], boundaries: [], messages: [SECRET] }
  const synthesize = { ...attempt, kind: 'needs.synthesize' as const }
  await expect(
    handlers['needs.synthesize']?.({ sid: 'ses-1', user: 'user:ann', ...words }, synthesize),
  ).rejects.toEqual(new AnalystRefusal('the answer does not fit: needs (invalid_type)'))
  const shared = [
    { consentId: 'con-1', side: 'A', category: 'SAFETY', content: 'rest' },
    { consentId: 'con-2', side: 'B', category: 'SAFETY', content: 'rest' },
  ]
  expect(asked.map(({ question }) => question)).toEqual([{ needs: shared }, ground, words])
})

test('two people who consent have their guesses analysed by a model, READY and revealed', async () => {
  const model: Reply = (response, asked, request) => {
    const question = asked.question as AnalysisQuestion & { readonly content: string }
    answering('instruction' in question ? stubRefinement(question) : stubAnalysis(question))(response, asked, request)
  }
  const { url, asked } = await modelOf([saying('', 500, { 'retry-after': '0' }), model])
  const node = await embeddedNode({ machines: DIALOGUE_MACHINES })
  onTestFinished(() => node.close())
  const problems: TaskProblem[] = []
  const analyst = await node.session('worker:analyst', { roles: ['analysis'] })
  const http = analystFrom({ ANALYST_URL: url, ANALYST_MODEL: 'm' })
  const worker = analyst.worker(taskHandlers(http), { onProblem: (problem) => problems.push(problem) })
  const [ann, ben] = await Promise.all([node.session('user:ann'), node.session('user:ben')])
  const heard: string[] = []
  const sid = await meet([ann, ben], (topic) => heard.push(topic))

  const audit = await ann.queries.reconciler.audit({ sid })
  if (audit.kind !== 'ok') throw new Error(audit.code)
  const own = audit.value.steps.filter(({ direction }) => direction === 'mine').map(({ to }) => to)
  expect(own).toEqual(['HELD', 'ANALYZING', 'AWAITING_SHARING', 'REFINING', 'READY', 'REVEALED'])
  expect(heard.filter((topic) => topic === 'empathy.share_suggestion').length).toBe(2)
  // One of each direction, one of the wording, and the one that failed.
  expect([asked.length, problems]).toEqual([4, []])
  expect(asked.map(({ text }) => text).filter((text) => /user:|ses-|att-|off-/.test(text))).toEqual([])
  expect(await worker.stop()).toBe(true)
  await Promise.all([analyst, ann, ben].map((session) => session.close()))
})

test('an analyst that fails costs its three attempts, tells why without quoting anybody, and the guess goes on', async () => {
  const reasons = [new AnalystRefusal('the answer is no JSON'), new Error(SECRET), new TypeError(SECRET)]
  const refuse = async () => {
    throw reasons.shift()
  }
  const failing: Analyst = { ...stubAnalyst, analyze: refuse }
  const cluster = testCluster(DIALOGUE_MACHINES)
  onTestFinished(() => cluster.close())
  const analyst = await cluster.session('worker:analyst', { roles: ['analysis'] })
  const told: string[] = []
  analyst.worker(taskHandlers(failing), { onProblem: ({ error }) => told.push(String(error)) })
  const [ann, ben] = [await cluster.session('user:ann'), await cluster.session('user:ben')]
  const sid = await cluster.until(
    meet([ann, ben], () => undefined),
    { within: 300_000 },
  )
  if (sid === undefined) throw new Error('they did not meet')
  const status = await ann.queries.reconciler.status({ sid })
  expect(status).toMatchObject({ kind: 'ok', value: { own: { status: 'REVEALED' } } })
  const silent = 'AnalystRefusal: the analyst failed'
  expect(told.toSorted()).toEqual(['AnalystRefusal: the answer is no JSON', ...Array(5).fill(silent)].toSorted())
})
