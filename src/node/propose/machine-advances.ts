import type { NodeId } from '../../base/brand.ts'
import type { MachineAdvance } from '../../codec/entry/payload.ts'
import type { MachineStatus, StateMachine } from '../../session/state-machine.ts'
import type { Build } from '../ports/peer-transport.ts'

/** What each voter is built of; null: not known, or not known to be so still (`Builds.current`). */
export type VoterBuilds = ReadonlyMap<NodeId, Build | null>

/** A version that waits for these voters; of the `silent` among them nobody knows now what they are built of. */
export interface AwaitedVersion {
  readonly machine: string
  readonly version: number
  readonly nodes: readonly NodeId[]
  readonly silent: readonly NodeId[]
}

/**
 * What a new cluster begins with: every machine of this build at the highest version that all voters have. One that some voter
 * lacks is there at its highest, so that this voter halts and says what it lacks. Nothing while it is not known of each voter.
 */
export function firstVersions(machine: StateMachine, voters: VoterBuilds): readonly MachineAdvance[] {
  const builds = allOf(voters)
  if (builds === null) return []
  const users = machine.machines().flatMap((status) => {
    const advances = newestFirst(status)
    return commonOf(advances, builds) ?? advances[0] ?? []
  })
  // A build from before there was one says nothing of it, and cannot apply what its first version lacks.
  const own = commonOf(newestFirst(machine.own), builds)
  return users.length === 0 || own === undefined ? users : [...users, own]
}

function newestFirst({ name, supported }: MachineStatus): readonly MachineAdvance[] {
  return supported.map(({ version, schema }) => ({ machine: name, to: version, schema })).reverse()
}

function commonOf(advances: readonly MachineAdvance[], builds: readonly Build[]): MachineAdvance | undefined {
  return advances.find((advance) => builds.every((build) => has(build, advance)))
}

/**
 * Which versions a leader switches on, once no voter would have to halt for it (sessions.md §10). A log without AdvanceVersion
 * entries was begun by an earlier build, which does not know them: it gets one with all machines, and only when every voter
 * has said that it has the same; until then a return to that build loses nothing.
 */
export class MachineAdvances {
  private readonly machine: StateMachine
  private readonly voterBuilds: () => VoterBuilds
  /** Applied without effect, because a migration failed: by the same code it would fail again. */
  private readonly failed = new Set<string>()

  constructor(machine: StateMachine, voterBuilds: () => VoterBuilds) {
    this.machine = machine
    this.voterBuilds = voterBuilds
  }

  /** The content of the next AdvanceVersion entry, or null. */
  next(): readonly MachineAdvance[] | null {
    const builds = allOf(this.voterBuilds())
    if (builds === null || builds.length === 0) return null
    return this.machine.activated ? this.newer(builds) : this.first(builds)
  }

  /** Which version of this build is not switched on, and because of which voters; null: all are, or none can be. */
  awaited(): AwaitedVersion | null {
    const { machine } = this
    const voters = this.voterBuilds()
    if (voters.size === 0) return null
    const own = machine.activated ? [machine.own] : []
    for (const { name, active, supported } of [...machine.machines(), ...own]) {
      const wanted = machine.activated ? supported.at(-1) : supported[0]
      if (wanted === undefined || wanted.version <= active) continue
      const advance = { machine: name, to: wanted.version, schema: wanted.schema }
      if (this.failed.has(nameOf(advance))) continue
      const nodes = [...voters].flatMap(([id, build]) => (build !== null && has(build, advance) ? [] : [id]))
      const silent = nodes.filter((id) => voters.get(id) === null)
      if (nodes.length > 0) return { machine: name, version: wanted.version, nodes, silent }
    }
    return null
  }

  /** An entry of this leader was applied: what it has not changed is not proposed again. */
  applied(advances: readonly MachineAdvance[]): void {
    for (const advance of advances) {
      if (this.machine.activeVersion(advance.machine) < advance.to) this.failed.add(nameOf(advance))
    }
  }

  /**
   * The highest version that every voter has, of the first machine that is behind it. Session layer and kit come first: a
   * migration may stand on what they have done since their newest version, as in the tests of whoever wrote it.
   */
  private newer(builds: readonly Build[]): readonly MachineAdvance[] | null {
    for (const { name, active, supported } of [this.machine.own, ...this.machine.machines()]) {
      for (const { version, schema } of supported.toReversed()) {
        if (version <= active) break
        const advance = { machine: name, to: version, schema }
        if (!this.failed.has(nameOf(advance)) && builds.every((build) => has(build, advance))) return [advance]
      }
    }
    return null
  }

  /** Of each machine the lowest version, which is what ran there until now. */
  private first(builds: readonly Build[]): readonly MachineAdvance[] | null {
    const lowest = this.machine.machines().flatMap(({ name, supported }) => {
      const first = supported[0]
      return first === undefined ? [] : [{ machine: name, to: first.version, schema: first.schema }]
    })
    const same = builds.every(
      ({ machines }) =>
        machines.filter(({ name }) => name !== this.machine.own.name).length === lowest.length &&
        lowest.every((advance) => hasLowest({ machines }, advance)),
    )
    return same && lowest.length > 0 ? lowest : null
  }
}

function allOf(voters: VoterBuilds): readonly Build[] | null {
  const builds = [...voters.values()].filter((build) => build !== null)
  return builds.length === voters.size ? builds : null
}

type Machines = Pick<Build, 'machines'>

function has({ machines }: Machines, { machine, to, schema }: MachineAdvance): boolean {
  const found = machines.find(({ name }) => name === machine)
  return found?.versions.some((version) => version.version === to && version.schema === schema) ?? false
}

function hasLowest({ machines }: Machines, { machine, to, schema }: MachineAdvance): boolean {
  const lowest = machines.find(({ name }) => name === machine)?.versions[0]
  return lowest?.version === to && lowest.schema === schema
}

function nameOf({ machine, to, schema }: MachineAdvance): string {
  return `${machine} ${to} ${schema}`
}
