import { expect, test } from 'vitest'
import { nodeId } from '../../src/base/brand.ts'
import { Random } from '../../src/base/random.ts'
import type { RawChange } from '../../src/client/calls/subscription-board.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import { dictionary } from '../gateway/subscriptions/dictionary.ts'
import { expectSubsequence, type Truth } from './live-truth.ts'
import { hubOn, NodeWorld, openOn, run } from './world.ts'

const KEY = 'a'
const SUBSCRIBERS = 4

/** Subscribers to a row that is written all the time, while frames are lost, connections cut and the lead comes and goes. */
function runChaos(seed: number) {
  const random = new Random(seed)
  const world = new NodeWorld({ seed, delayMs: () => random.between(1, 8), machine: dictionary() })
  const truth: Truth = new Map()
  const note = (): void => {
    const asked = { machine: 't', query: 'value', input: KEY, session: null }
    const answer = world.node.machine.query(asked)
    truth.set(world.node.machine.appliedIndex, answer.kind === 'value' ? answer.value : answer)
  }
  note()
  world.node.listen({ applied: note, batchApplied: () => {}, roleChanged: () => {}, stopped: () => {} })
  const { core: writer } = openOn(hubOn(world.environment), { timeoutMs: 600_000 })
  const heard = Array.from({ length: SUBSCRIBERS }, () => [] as RawChange[])
  for (const changes of heard) {
    const hub = hubOn(world.environment)
    const { core } = openOn(hub, { timeoutMs: 600_000 })
    const request = { channel: core.channel, incarnation: 0, minIndex: 0, machine: 't', query: 'value' }
    const listener = {
      onChange: (each: RawChange) => void changes.push(each),
      onEnd: () => expect.unreachable('no subscription ends'),
    }
    hub.subscribe({ ...request, input: sessionCodec.encodeValue(KEY) }, listener)
  }
  for (let step = 0; step < 400; step += 1) {
    for (let count = random.between(0, 3); count > 0; count -= 1)
      run(writer, random.chance(0.1) ? 'take-back' : 'set', [random.chance(0.8) ? KEY : 'b', random.between(0, 3)])
    world.clock.advance(random.between(0, 5))
    const open = world.wires.filter((wire) => wire.open)
    const wire = open.length === 0 ? null : random.pick(open)
    if (wire !== null && random.chance(0.1)) wire.loseUp = true
    if (wire !== null && random.chance(0.1)) wire.loseDown = true
    for (const sick of open) if ((sick.loseUp || sick.loseDown) && random.chance(0.5)) sick.cut()
    if (random.chance(0.03))
      world.node.loseLead(random.chance(0.5) ? null : nodeId('n9'), random.below(world.node.queue.length + 1))
    else if (world.node.role !== 'leader' && random.chance(0.3)) world.node.becomeLeader()
  }
  world.node.becomeLeader()
  for (const wire of world.wires) wire.cut()
  world.clock.advance(20_000)
  return { truth, heard }
}

test.each(Array.from({ length: 8 }, (_unused, at) => at + 1))(
  'seed %i: every subscriber hears the values of the log in its order, each once, and is told where some are left out',
  (seed) => {
    const { truth, heard } = runChaos(seed)
    for (const changes of heard) {
      const told = changes.map(({ value, ...rest }) => ({ ...rest, value: sessionCodec.decodeValue(value) }))
      expectSubsequence(told, truth)
      const last = [...truth].at(-1)?.[1]
      expect(told.at(-1)?.value).toEqual(last)
    }
    const kinds = heard.flat().map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'value').length).toBeGreaterThan(100)
    expect(kinds).toContain('compacted')
  },
)
