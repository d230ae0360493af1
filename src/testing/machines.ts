import type { MachineLike } from '../client/index.ts'
import type { Mountable } from '../machine/index.ts'

/** Machines that can be mounted and called with types. */
export type TypedMachines = readonly (Mountable & MachineLike)[]
