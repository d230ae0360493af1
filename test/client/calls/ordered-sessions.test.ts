import { describe, expect, test } from 'vitest'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import type { ResponseAnswer } from '../../../src/protocol/down-message.ts'
import { hubOn, NodeWorld, openOn, run, Script } from '../world.ts'

const nil = sessionCodec.encodeValue(null)

/** A scripted server with one attached session. */
function attached(settings: Parameters<typeof openOn>[1] = {}) {
  const script = new Script()
  const { core } = openOn(hubOn(script.environment), settings)
  script.attach()
  script.take('open')
  const answer = (requestId: number, said: ResponseAnswer): void =>
    script.say({ kind: 'response', channel: 1, requestId, answer: said })
  const ok = (requestId: number): void =>
    answer(requestId, { kind: 'ok', index: 9, replayed: false, invalidAck: false, value: nil })
  return { script, core, answer, ok }
}

/** What the parser of the test's node refuses. */
const BAD = 13

describe('commands of an ordered session, many at once', () => {
  test('P-08 refused ones cost no entry, and those behind them one each', () => {
    const world = new NodeWorld({ limits: { windowRequests: 1024 }, delayMs: () => 3 })
    const { core } = openOn(hubOn(world.environment), { ordered: true })
    world.clock.advance(1000)
    const commands = Array.from({ length: 200 }, (_, at) => ({ at, bad: at % 20 === 9 }))
    const runs = commands.map(({ at, bad }) => run(core, 'echo', bad ? BAD : 1000 + at))
    world.clock.advance(20_000)
    expect(runs.map(({ outcomes }) => outcomes.map((outcome) => outcome.kind))).toEqual(
      commands.map(({ bad }) => [bad ? 'notExecuted' : 'ok']),
    )
    expect(world.node.user.inputs).toEqual(commands.filter(({ bad }) => !bad).map(({ at }) => 1000 + at))
    expect(world.node.submitted.filter((kind) => kind === 'ClientRequest').length).toBe(190)
  })
})

describe('an id of an ordered session that ends without having been executed', () => {
  const from = (ids: readonly { requestId: number; lowestPendingRequestId: number }[]): [number, number][] =>
    ids.map(({ requestId, lowestPendingRequestId }) => [requestId, lowestPendingRequestId])

  test('holds back what stands behind it until the floor has passed it, and no longer', () => {
    const { script, core, answer, ok } = attached({ ordered: true })
    for (let at = 0; at < 4; at += 1) run(core, 'echo', at)
    expect(script.take('request').length).toBe(4)
    answer(2, { kind: 'notExecuted', code: 'VALIDATION_ERROR', details: nil })
    for (const id of [3, 4]) {
      answer(id, { kind: 'notExecuted', code: 'OUT_OF_ORDER', details: sessionCodec.encodeValue({ expected: 2 }) })
    }
    run(core, 'echo', 5)
    script.clock.advance(2000)
    expect(script.take('request')).toEqual([])
    ok(1)
    expect(from(script.take('request'))).toEqual([
      [3, 3],
      [4, 3],
      [5, 3],
    ])
  })

  test('is told by the log to a session that was taken up, which does not know that it is ordered', () => {
    const { script, core, answer, ok } = attached()
    for (let at = 0; at < 3; at += 1) run(core, 'echo', at)
    script.take('request')
    answer(2, { kind: 'notExecuted', code: 'VALIDATION_ERROR', details: nil })
    answer(3, { kind: 'notExecuted', code: 'OUT_OF_ORDER', details: sessionCodec.encodeValue({ expected: 2 }) })
    script.clock.advance(2000)
    expect(script.take('request')).toEqual([])
    ok(1)
    expect(from(script.take('request'))).toEqual([[3, 3]])
  })
})
