import type { Random } from '../../base/random.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import type { Value } from '../../codec/value/value.ts'
import { mount, type Mount } from '../../machine/index.ts'
import { counter, register } from '../../machines/index.ts'
import { Violation } from '../checkers/violation.ts'
import type { RequestWeather } from '../swarm.ts'
import { bell } from './bell.ts'

/** A command of a client's list, with its input encoded as the leader's parser leaves it. */
export interface SimulatedCommand {
  readonly machine: string
  readonly command: string
  readonly input: Uint8Array
  readonly version: number
}

/** How one client handles its server requests, and the generator that draws it. */
export interface HandlingOptions {
  readonly weather: RequestWeather
  readonly random: Random
  /** Outboxes are so short that requests are left out. */
  readonly narrow: boolean
}

/** The one counter that all clients add to. */
export const SHARED = 'shared'

/** The machines of one process; `hints`: what they emit may be dropped where an outbox is full. */
export function mountMachines(hints = false): Mount {
  return mount([counter, register, bell(hints)], sessionCodec)
}

/** One client's commands: increments of the shared counter, with `rings` strokes of the bell at random places among them. */
export function drawCommands(
  mounted: Mount,
  counts: { increments: number; rings: number },
  random: Random,
): readonly SimulatedCommand[] {
  const increment = parsed(mounted, 'counter', 'increment', { name: SHARED, by: 1 })
  const ring = parsed(mounted, 'bell', 'ring', {})
  const commands = Array.from({ length: counts.increments }, () => increment)
  for (let left = counts.rings; left > 0; left -= 1) commands.splice(random.below(commands.length + 1), 0, ring)
  return commands
}

function parsed(mounted: Mount, machine: string, command: string, input: Value): SimulatedCommand {
  const result = mounted.parse(machine, command, sessionCodec.encodeValue(input))
  if (!result.ok) throw new Violation('the workload fits its machine', { machine, code: result.code })
  return { machine, command, input: result.input, version: result.version }
}
