import { startEmbedded } from '../../src/host/start-node.ts'
import { inProcessDial } from '../../src/client/index.ts'
import { embeddedEnvironment } from '../../src/client/connection/environment.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { closedLoop, type LoopResult } from '../closed-loop.ts'
import { perCommand } from '../cpu.ts'
import { registerLanes } from '../register-lanes.ts'

/** What the process is told: to measure, and to end. */
export type EmbeddedOrder =
  | { readonly kind: 'measure'; readonly inFlight: number; readonly seconds: number }
  | { readonly kind: 'end' }

export interface EmbeddedPoint extends LoopResult {
  /** Processor time of the whole process: it is node and client. */
  readonly cpuMicrosPerCommand: number | null
}

/** A process of its own with a node in it, `embedded-child.js DIRECTORY`, which writes to itself without a socket. */
async function main([dataDirectory = '']: readonly string[]): Promise<void> {
  const node = await startEmbedded({ dataDirectory, listen: '127.0.0.1:0' })
  const environment = embeddedEnvironment(inProcessDial(() => node))
  const measure = async (inFlight: number, seconds: number): Promise<EmbeddedPoint> => {
    const hub = new MultiSession({ environment, endpoints: [node.address] })
    const lanes = await registerLanes(hub, inFlight)
    const before = process.cpuUsage()
    const loop = await closedLoop(lanes, { warmUpMs: seconds * 250, measureMs: seconds * 1000 })
    const { user, system } = process.cpuUsage(before)
    await lanes.close()
    hub.close()
    return { ...loop, cpuMicrosPerCommand: perCommand(user + system, loop.commands) }
  }
  process.on('message', (order: EmbeddedOrder) => {
    if (order.kind === 'measure')
      return void measure(order.inFlight, order.seconds).then((point) => void process.send?.(point))
    return void node.close().then(() => process.disconnect())
  })
  process.send?.('ready')
}

await main(process.argv.slice(2))
