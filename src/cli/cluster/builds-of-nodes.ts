import { OWN_MACHINE } from '../../protocol/own-queries.ts'
import type { MachineVersionReport, NodeStatusReport, PeerBuildReport } from '../../client/index.ts'

/** What one node is built of. */
export type BuildOfNode = Omit<PeerBuildReport, 'id'>

/** A machine as the log has switched to it. */
export interface MachineLine {
  readonly name: string
  /** The version that runs; 0: none yet. */
  readonly active: number
  /** SHA-256 of what it declares; '': the log names none. */
  readonly schema: string
}

type Told = Pick<
  NodeStatusReport,
  'id' | 'appliedIndex' | 'machines' | 'runtime' | 'holdfast' | 'development' | 'peerBuilds'
>
type Builds = ReadonlyMap<string, BuildOfNode>

/** By node: its own word where it was asked, else what another member was told. Nodes of which nobody knows are left out. */
export function buildsOfNodes(known: readonly Told[]): Builds {
  const found = new Map<string, BuildOfNode>()
  for (const { peerBuilds } of known) {
    for (const { id, machines, ...build } of peerBuilds) {
      // Session layer, kit and codec come with the build, which is named besides.
      found.set(id, { ...build, machines: machines.filter(({ name }) => name !== OWN_MACHINE) })
    }
  }
  for (const { id, machines, runtime, holdfast, development } of known) {
    const own = machines.flatMap(({ name, supported }) =>
      supported.length === 0 ? [] : [{ name, versions: supported }],
    )
    // A node of a build that does not say it says nothing at all.
    if (machines.length > 0 || holdfast !== '') found.set(id, { machines: own, runtime, holdfast, development })
    else found.delete(id)
  }
  return new Map([...found].sort(([left], [right]) => compare(left, right)))
}

/** What the node says that has applied most. */
export function machineLines(known: readonly Told[]): MachineLine[] {
  const [newest] = known.toSorted((left, right) => right.appliedIndex - left.appliedIndex)
  const lines = newest?.machines.map(({ name, active, schema }) => ({ name, active, schema })) ?? []
  return lines.sort((left, right) => compare(left.name, right.name))
}

/** A sentence for each thing that nodes are built of differently; none when all have the same. */
export function buildDifferences(builds: Builds, machines: readonly MachineLine[]): string[] {
  const names = new Set([...builds.values()].flatMap((build) => build.machines.map(({ name }) => name)))
  for (const { name } of machines) names.add(name)
  return [
    ...[...names].sort(compare).flatMap((name) => ofMachine(name, builds, machines)),
    ...mixOf('versions of Node', builds, ({ runtime }) => runtime),
    ...mixOf('builds of Holdfast', builds, ({ holdfast }) => holdfast),
    ...mixOf('modes', builds, ({ development }) => (development ? 'development' : 'production')),
  ]
}

function ofMachine(name: string, builds: Builds, machines: readonly MachineLine[]): string[] {
  const { active = 0, schema = '' } = machines.find((machine) => machine.name === name) ?? {}
  const numbers = [...builds.values()].flatMap((build) => versionsIn(build, name).map(({ version }) => version))
  // Of those below the active one no node has need.
  const wanted = [...new Set([...numbers, active])].filter((version) => version > 0 && version >= active)
  return wanted
    .sort((left, right) => left - right)
    .flatMap((version) => ofVersion({ name, version, builds, bound: version === active ? schema : null }))
}

/** `bound`: the schema that the log names with the version, null while it is not active. */
function ofVersion(of: { name: string; version: number; builds: Builds; bound: string | null }): string[] {
  const { name, version, builds, bound } = of
  const by = [...builds].map(([id, build]) => ({
    id,
    has: versionsIn(build, name).find((each) => each.version === version) ?? null,
  }))
  const lacking = by.filter(({ has }) => has === null).map(({ id }) => id)
  const having = by.flatMap(({ id, has }) => (has === null ? [] : [{ id, ...has }]))
  const lines: string[] = []
  if (lacking.length > 0) lines.push(lackText({ name, version, lacking, active: bound !== null }))
  const others = bound === null || bound === '' ? [] : having.filter((each) => each.schema !== bound)
  if (others.length > 0)
    lines.push(
      `${name} ${version} of ${others.map(({ id }) => id).join(', ')} declares something else than the active one`,
    )
  else if (kinds(having, ({ schema }) => schema).size > 1)
    lines.push(
      `${name} ${version} does not declare the same everywhere: ${groups(having, ({ schema }) => short(schema))}`,
    )
  else if (kinds(having, ({ code }) => code).size > 1)
    lines.push(
      `${name} ${version} has other code on some nodes, which binds nobody: ${groups(having, ({ code }) => short(code))}`,
    )
  return lines
}

function lackText(of: { name: string; version: number; lacking: readonly string[]; active: boolean }): string {
  const { name, version, active } = of
  const nodes = `${of.lacking.join(', ')} ${of.lacking.length === 1 ? 'lacks' : 'lack'}`
  if (active) return `${nodes} ${name} ${version}, which is active: without it nothing is applied or answered there`
  return `${nodes} ${name} ${version}: it is switched on once every voter has it`
}

function mixOf(what: string, builds: Builds, of: (build: BuildOfNode) => string): string[] {
  const told = [...builds].map(([id, build]) => ({ id, said: of(build) })).filter(({ said }) => said !== '')
  return kinds(told, ({ said }) => said).size < 2
    ? []
    : [`nodes run several ${what}: ${groups(told, ({ said }) => said)}`]
}

/** `v20.1.0 (n1, n2), v22.3.0 (n3)` */
function groups<Item extends { readonly id: string }>(items: readonly Item[], of: (item: Item) => string): string {
  const ids = (kind: string): string =>
    items
      .filter((item) => of(item) === kind)
      .map(({ id }) => id)
      .join(', ')
  return [...kinds(items, of)].map((kind) => `${kind} (${ids(kind)})`).join(', ')
}

function kinds<Item>(items: readonly Item[], of: (item: Item) => string): ReadonlySet<string> {
  return new Set(items.map(of))
}

function versionsIn(build: BuildOfNode, name: string): readonly MachineVersionReport[] {
  return build.machines.find((machine) => machine.name === name)?.versions ?? []
}

function short(digest: string): string {
  return digest === '' ? 'none' : digest.slice(0, 12)
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
