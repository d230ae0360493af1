import type { z } from 'zod'
import type { UserStateMachine } from '../../session/user-machine.ts'
import { assertName, assertVersion } from './define-machine.ts'
import { owned } from './own-machines.ts'

/** What a bare machine may declare so that its inputs are parsed at the edge; without it any plain data passes. */
export interface BareOptions {
  /** Default 1. */
  readonly version?: number
  readonly commands?: { readonly [command: string]: z.core.$ZodType }
  readonly queries?: { readonly [query: string]: z.core.$ZodType }
}

/** A bare `UserStateMachine` under a name, to be mounted beside defined machines. */
export interface BareMachine extends BareOptions {
  readonly kind: 'bare'
  readonly name: string
  readonly machine: UserStateMachine
}

/** Names a bare machine for `mount`. It must keep its rows under `<name>/`. */
export function bare(name: string, machine: UserStateMachine, options: BareOptions = {}): BareMachine {
  assertName(name)
  assertVersion(name, options.version ?? 1)
  return owned({ kind: 'bare', name, machine, ...options })
}
