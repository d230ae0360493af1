/** Machines that this very copy of the package made: a second copy has a set of its own. */
const own = new WeakSet<object>()

/** Remembers a machine as one of this copy's, and gives it back. */
export function owned<Machine extends object>(machine: Machine): Machine {
  own.add(machine)
  return machine
}

/**
 * Whether `defineMachine` or `bare` of this copy made the value. Machines of another copy look the same, but their
 * rejections and schemas are of other classes.
 */
export function isOwned(value: object): boolean {
  return own.has(value)
}
