import { DEFAULT_LIMITS } from '../codec/entry/default-limits.ts'
import type { Limits } from '../codec/entry/payload.ts'
import { SessionGateway } from '../gateway/session-gateway.ts'
import type { PersonalKeys } from '../gateway/personal/personal-keys.ts'
import type { Mount } from '../machine/index.ts'
import { MachineReports } from '../node/apply/machine-reports.ts'
import type { Driver } from '../node/driver.ts'
import { openNode, type OpenNodeOptions } from '../node/open-node.ts'
import { APPEND_MESSAGE_BYTES_MAX, DEFAULT_RAFT } from '../node/options.ts'
import type { StorageDone } from '../node/ports/storage-fault.ts'
import { OWN_MACHINE } from '../session/own-versions.ts'
import { SessionStateMachine } from '../session/session-state-machine.ts'

/** What the composition makes of the machines, or has a default for. */
type Made = 'machine' | 'reports' | 'build' | 'raft' | 'limits' | 'messageBytesMax'

/**
 * A node as data: who it is and who votes with it, its machines, its ports to the world (clock, snapshot store, how to open
 * log and transport), and what differs from the defaults.
 */
export interface NodeParts extends Omit<OpenNodeOptions, Made> {
  /** The user machines with the parsers of their inputs, mounted with `codec` for this process alone. */
  readonly machines: Pick<Mount, 'userMachine' | 'parse' | 'parseQuery'> &
    Partial<Pick<Mount, 'isPersonal' | 'holdsPersonal'>>
  /** Opens the keys of subjects, for machines with personal fields. Absent: commands with such fields are refused. */
  readonly openKeys?: ((driver: Driver) => PersonalKeys) | undefined
  /** What the process is built of, as peers are told. Default: the mounted machines, on a runtime that nobody knows. */
  readonly build?: Partial<OpenNodeOptions['build']>
  /**
   * Every function of a machine runs twice, and answers say what it threw; the machines are to be those of `guardedMount`
   * (machines.md §2). The same on every node. Default false.
   */
  readonly development?: boolean | undefined
  /** Default: `DEFAULT_RAFT`. */
  readonly raft?: Partial<OpenNodeOptions['raft']> | undefined
  /** Entry 2 of a new cluster. Default: `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits> | undefined
  /** Default: `APPEND_MESSAGE_BYTES_MAX`. */
  readonly messageBytesMax?: number
  /** Server requests that may go out to a client beyond its last ack. Default: the gateway's. */
  readonly credit?: number
}

/** An open node, before its first event: whoever listens does so now, then calls `driver.start()`. */
export interface ComposedNode {
  readonly driver: Driver
  /** Where clients connect: over gRPC, in this process, or simulated. */
  readonly gateway: SessionGateway
}

/**
 * The one composition of a node (architecture.md §1): machines → session state machine → driver over both stores → gateway.
 * The server, the embedded node, the simulator and the tests of the driver differ in the parts alone. `done` is called once:
 * with the node, or with the fault that opening met; the caller then closes what it has opened itself.
 *
 * @returns the state machine at once: it fills while the snapshot is loaded and the log is replayed.
 */
export function composeNode(parts: NodeParts, done: StorageDone<ComposedNode | null>): SessionStateMachine {
  const { identity, machines, codec, clock, raft, limits, credit } = parts
  const { messageBytesMax = APPEND_MESSAGE_BYTES_MAX, development = false } = parts
  const reports = new MachineReports()
  const machine = new SessionStateMachine(machines.userMachine, codec, {
    group: identity.group,
    report: (report) => reports.take(report),
    rehearse: development,
  })
  const built = parts.build?.machines ?? machines.userMachine.machines ?? []
  const options: OpenNodeOptions = {
    ...parts,
    machine,
    reports,
    build: { runtime: '', holdfast: '', development, ...parts.build, machines: [...built, OWN_MACHINE] },
    raft: { ...DEFAULT_RAFT, ...raft },
    limits: { ...DEFAULT_LIMITS, ...limits },
    messageBytesMax,
  }
  openNode(options, (fault, driver) => {
    if (fault !== null || driver === null) {
      done(fault, null)
      return
    }
    const { parse, parseQuery, isPersonal = false, holdsPersonal } = machines
    // Opened in any case: a key outlives the machine whose fields it has sealed, and is to be destroyed all the same.
    const keys = parts.openKeys?.(driver)
    const sealer = isPersonal ? keys : undefined
    done(null, {
      driver,
      gateway: new SessionGateway(driver, {
        parse:
          sealer === undefined
            ? parse
            : (machine, command, bytes, active) => parse(machine, command, bytes, active, sealer),
        parseQuery,
        ...(keys === undefined ? {} : { personal: { keys, holdsPersonal: (isPersonal && holdsPersonal) || null } }),
        codec,
        clock,
        ...(credit === undefined ? {} : { credit }),
        ...(development ? { errorAt: (index, kind) => reports.errorAt(index, kind) } : {}),
      }),
    })
  })
  return machine
}
