import { expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import type { RawOutcome } from '../../src/client/calls/raw-outcome.ts'
import { nodeId } from '../../src/base/brand.ts'
import { hubOn, NodeWorld, openOn } from './world.ts'

interface Call {
  readonly input: string
  outcome: RawOutcome | null
}

/** Sessions with commands in flight while frames are lost, connections cut and the lead comes and goes. */
function runChaos(seed: number): { world: NodeWorld; calls: Call[]; requests: number[][] } {
  const random = new Random(seed)
  const world = new NodeWorld({ seed, credit: 8, delayMs: () => random.between(1, 8) })
  const calls: Call[] = []
  const requests: number[][] = []
  for (let client = 0; client < 3; client += 1) {
    const hub = hubOn(world.environment)
    for (let index = 0; index < 2; index += 1) {
      const { core, told } = openOn(hub, { ordered: random.chance(0.5), timeoutMs: 600_000 })
      requests.push([])
      const received = requests.at(-1) ?? []
      const issue = (): void => {
        if (calls.length >= 600) return
        const call: Call = { input: `${client}.${index}.${calls.length}`, outcome: null }
        calls.push(call)
        const command = random.chance(0.2) ? 'emit' : 'echo'
        const input = sessionCodec.encodeValue(command === 'emit' ? 2 : call.input)
        const deadlineAt = random.chance(0.2) ? world.clock.monotonicMs() + random.between(1, 25) : 0
        core.enqueue({ machine: 't', command, input }, deadlineAt, (outcome, requestId) => {
          expect(call.outcome).toBe(null)
          call.outcome = outcome
          if (outcome.kind === 'unknown' && random.chance(0.5)) core.window.abandon(requestId)
          issue()
        })
      }
      for (let count = 0; count < 5; count += 1) issue()
      world.clock.setTimer(1, () => expect(told.lost).toEqual([]))
      const push = told.requests.push.bind(told.requests)
      told.requests.push = (request) => {
        received.push(request.serverRequestId)
        return push(request)
      }
    }
  }
  for (let step = 0; step < 300; step += 1) {
    world.clock.advance(random.between(0, 5))
    const open = world.wires.filter((wire) => wire.open)
    const wire = open.length === 0 ? null : random.pick(open)
    if (wire !== null && random.chance(0.2)) wire.loseUp = true
    if (wire !== null && random.chance(0.2)) wire.loseDown = true
    for (const sick of open) if ((sick.loseUp || sick.loseDown) && random.chance(0.5)) sick.cut()
    if (random.chance(0.05))
      world.node.loseLead(random.chance(0.5) ? null : nodeId('n9'), random.below(world.node.queue.length + 1))
    else if (world.node.role !== 'leader' && random.chance(0.3)) world.node.becomeLeader()
  }
  world.node.becomeLeader()
  for (const wire of world.wires) wire.cut()
  world.clock.advance(20_000)
  return { world, calls, requests }
}

test.each(Array.from({ length: 8 }, (_unused, at) => at + 1))(
  'P-01 P-27 P-30 seed %i: ok was executed exactly once, notExecuted never, and every server request arrived once and in order',
  (seed) => {
    const { world, calls, requests } = runChaos(seed)
    const executed = world.node.user.inputs
    for (const call of calls) {
      const times = executed.filter((input) => input === call.input).length
      const { outcome } = call
      expect(outcome).not.toBe(null)
      if (outcome?.kind === 'ok' && Buffer.from(outcome.value).length > 1)
        expect([seed, call.input, times]).toEqual([seed, call.input, 1])
      if (outcome?.kind === 'notExecuted') expect([seed, call.input, times]).toEqual([seed, call.input, 0])
      expect(times).toBeLessThanOrEqual(1)
    }
    for (const received of requests) expect(received).toEqual(received.map((_id, at) => at + 1))
    expect(requests.flat().length).toBe(executed.filter((input) => input === 2).length * 2)
    const kinds = (kind: string): number => calls.filter(({ outcome }) => outcome?.kind === kind).length
    expect(kinds('ok')).toBeGreaterThan(100)
    expect(kinds('unknown')).toBeGreaterThan(0)
    expect(kinds('notExecuted')).toBeGreaterThan(0)
  },
)
