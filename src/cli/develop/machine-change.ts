import type { MachineIdentity } from '../../machine/index.ts'

/**
 * Why nodes that run `before` must not go on with `after` on the same data, one sentence per machine; empty: they may. History
 * was made by every version that was there and is applied again at a start, so all of them stay what they were. They may be
 * joined by the next version, which the log then switches to.
 */
export function machineChange(before: readonly MachineIdentity[], after: readonly MachineIdentity[]): string[] {
  return before.flatMap((old) => {
    const { name, version } = old
    const now = after.find((machine) => machine.name === name && machine.version === version)
    if (now === undefined)
      return [`${name} v${version} is gone, and history here was made by it; export it beside its next version`]
    if (now.schema !== old.schema)
      return [`${name} v${version} has other tables, commands or the like; ${next(version)}`]
    if (now.code !== old.code) return [`${name} v${version} has other handlers; ${next(version)}`]
    return []
  })
}

const next = (version: number): string =>
  `make it version ${version + 1}, and export version ${version} as it was beside it`
