import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unreachable } from '../../base/assert.ts'
import { formatHostPort } from '../../base/host-port.ts'
import { fetchMachines } from '../../client/index.ts'
import { fetchSessions } from '../../client/operator/sessions.ts'
import { startEmbedded } from '../../host/start-node.ts'
import { DEFAULT_HOST, parseAddress } from '../cluster/address.ts'
import { asked } from '../sessions/asked.ts'
import { CommandError, EXIT, type ExitCode } from '../terminal/exit.ts'
import { paint, print, printJson } from '../terminal/output.ts'
import { concierge, gates, payments, reconciler, session } from './demo-machines.ts'
import { Difference, type Flow } from './flow.ts'
import { bookingFlow } from './flows/booking-flow.ts'
import { conciergeFlow } from './flows/concierge-flow.ts'
import { dialogueFlow } from './flows/dialogue-flow.ts'
import { exchangeFlow } from './flows/exchange-flow.ts'
import { introduce, narrate } from './narrate.ts'
import { play, principalOf } from './player.ts'
import { SessionSide } from './session-side.ts'

/** Options of `holdfast demo`. */
export interface DemoFlags {
  /** `host:port,…` of a cluster that runs; absent: a node of its own, in a scratch directory. */
  readonly connect?: string
  /** One JSON object per line on stdout. */
  readonly json: boolean
}

const LIVE_SESSIONS_MAX = 10_000
const MACHINES = {
  session: [session, gates, reconciler],
  reconciler: [session, gates, reconciler],
  payments: [payments],
  concierge: [concierge],
}

/** Where a flow is played. */
interface Place {
  readonly endpoints: readonly string[]
  /** Behind all names, where others may have been. */
  readonly suffix: string
}

/**
 * `holdfast demo session|reconciler|payments|concierge`: plays the canonical flow of a machine. Exit code 0 when everything
 * was as promised.
 */
export async function demo(name: keyof typeof MACHINES, flags: DemoFlags): Promise<ExitCode> {
  if (flags.connect !== undefined) {
    const endpoints = flags.connect.split(',').map((text) => formatHostPort(parseAddress(text.trim(), '--connect')))
    const flow = await flowOf(name, () => hasExchange(endpoints))
    await refuseWhereOthersWork(flow, endpoints)
    return show(flow, { endpoints, suffix: `-${Date.now().toString(36)}` }, flags.json)
  }
  const dataDirectory = await mkdtemp(join(tmpdir(), 'holdfast-demo-'))
  try {
    const listen = formatHostPort({ host: DEFAULT_HOST, port: 0 })
    const machines = MACHINES[name]
    const node = await startEmbedded({ dataDirectory, listen, machines, development: true, logLevel: 'warn' })
    try {
      const flow = await flowOf(name, async () => true)
      return await show(flow, { endpoints: [node.address], suffix: '' }, flags.json)
    } finally {
      await node.close()
    }
  } finally {
    await rm(dataDirectory, { recursive: true, force: true })
  }
}

/** The flow of a machine; of `session` it depends on whether the cluster has the exchange. */
async function flowOf(name: keyof typeof MACHINES, exchange: () => Promise<boolean>): Promise<Flow> {
  switch (name) {
    case 'payments':
      return bookingFlow
    case 'concierge':
      return conciergeFlow
    case 'reconciler':
      return exchangeFlow
    case 'session':
      return dialogueFlow({ exchange: await exchange() })
    default:
      return unreachable(name)
  }
}

async function show(flow: Flow, { endpoints, suffix }: Place, json: boolean): Promise<ExitCode> {
  const say = (line: string): void => {
    if (!json) print(line)
  }
  const sides = new Map<string, SessionSide>()
  try {
    // One after the other: of two workers the one that came first is given a task.
    for (const [member, { roles }] of Object.entries(flow.cast)) {
      sides.set(member, await SessionSide.open({ endpoints, principal: principalOf(flow, member, suffix), roles }))
    }
    for (const line of introduce(flow)) say(line)
    await play({
      flow,
      sides,
      now: Date.now(),
      suffix,
      see: (seen, shown) => (json ? printJson(seen) : print(narrate(seen, shown))),
    })
    say(paint('green', '\nEverything was as promised.'))
    if (json) printJson({ kind: 'end', asPromised: true, difference: null })
    return EXIT.ok
  } catch (error) {
    if (!(error instanceof Difference)) throw error
    say(paint('red', `\nNot as promised: ${error.message}`))
    if (json) printJson({ kind: 'end', asPromised: false, difference: error.message })
    return EXIT.failure
  } finally {
    await Promise.all([...sides.values()].map((side) => side.close()))
  }
}

/** Whether a running cluster has the machine without which nobody leaves stage 2. */
async function hasExchange(endpoints: readonly string[]): Promise<boolean> {
  const known = await Promise.all(endpoints.map((endpoint) => fetchMachines(endpoint).catch(() => null)))
  return known.some((node) => node?.machines.some(({ name, active }) => name === reconciler.name && active > 0))
}

/** The workers of a demo make results up: they must not be given anybody's task. */
async function refuseWhereOthersWork({ cast }: Flow, endpoints: readonly string[]): Promise<void> {
  const { sessions } = await asked(fetchSessions(endpoints, { limit: LIVE_SESSIONS_MAX }))
  const roles = Object.values(cast).flatMap((member) => member.roles)
  const worker = sessions.find((live) => live.roles.some((role) => roles.includes(role)))
  if (worker === undefined) return
  throw new CommandError(
    EXIT.refused,
    `${worker.principal} works there (${worker.roles.join(', ')}), and the demo's workers would be given its tasks`,
    'Play it on a cluster for trying things, or without --connect.',
  )
}
