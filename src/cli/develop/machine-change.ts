import type { MachineIdentity } from '../../machine/index.ts'

/**
 * Why nodes that run `before` must not go on with `after` on the same data, one sentence per machine; empty: they may. The
 * version that runs is the highest of its name: history was made by it, so it has to stay what it was. It may be joined by
 * the next version, which the log then switches to; older ones may go.
 */
export function machineChange(before: readonly MachineIdentity[], after: readonly MachineIdentity[]): string[] {
  return active(before).flatMap((old) => {
    const { name, version } = old
    const now = after.find((machine) => machine.name === name && machine.version === version)
    if (now === undefined) return [`${name} v${version} is gone, and runs here; export it beside its next version`]
    if (now.schema !== old.schema)
      return [`${name} v${version} has other tables, commands or the like; ${next(version)}`]
    if (now.code !== old.code) return [`${name} v${version} has other handlers; ${next(version)}`]
    return []
  })
}

const next = (version: number): string =>
  `make it version ${version + 1}, and export version ${version} as it was beside it`

function active(machines: readonly MachineIdentity[]): MachineIdentity[] {
  return machines.filter(({ name, version }) =>
    machines.every((other) => other.name !== name || other.version <= version),
  )
}
