import type { Value } from '../../../src/client/index.ts'
import { heardOf } from '../../../src/cli/demo/session-side.ts'
import type { Answer, Flow, Heard, Seen, Side } from '../../../src/cli/demo/flow.ts'
import { play } from '../../../src/cli/demo/player.ts'
import type { MachineDefinition } from '../../../src/machine/index.ts'
import { type HarnessOutcome, type HarnessSession, machineHarness } from '../../../src/testing/index.ts'

/** A member's session of a harness: the machines, without a cluster. */
class HarnessSide implements Side {
  private readonly of: HarnessSession<readonly MachineDefinition[]>

  constructor(of: HarnessSession<readonly MachineDefinition[]>) {
    this.of = of
  }

  async command(machine: string, command: string, input: Value): Promise<Answer> {
    return answerOf(this.of.execute(machine, command, input))
  }

  async query(machine: string, query: string, input: Value): Promise<Answer> {
    return answerOf(this.of.query(machine, query, input))
  }

  async next(): Promise<Heard | null> {
    const [first] = this.of.requests
    if (first === undefined) return null
    this.of.acknowledge(first.serverRequestId)
    return heardOf(first.type, first.payload)
  }

  rest(): readonly Heard[] {
    return this.of.requests.map(({ type, payload }) => heardOf(type, payload))
  }
}

/** Plays a flow on the machines alone; what was seen, or the difference. */
export async function playOnHarness(
  flow: Flow,
  machines: readonly MachineDefinition[],
  see: (seen: Seen, shown: Value) => void = () => undefined,
): Promise<Seen[]> {
  const harness = machineHarness(machines, { guard: false })
  const seen: Seen[] = []
  const sides = new Map(
    Object.entries(flow.cast).map(([member, { principal, roles }]) => [
      member,
      new HarnessSide(harness.session(principal, { roles })),
    ]),
  )
  await play({
    flow,
    sides,
    now: harness.now,
    suffix: '',
    see: (line, shown) => {
      seen.push(line)
      see(line, shown)
    },
  })
  return seen
}

function answerOf(outcome: HarnessOutcome): Answer {
  return outcome.kind === 'ok' ? outcome : { kind: 'refused', code: outcome.code, details: outcome.details }
}
