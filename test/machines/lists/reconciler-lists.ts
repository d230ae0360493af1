import type { MachineDefinition } from '../../../src/machine/index.ts'
import { gates, reconciler, session } from '../../../src/machines/index.ts'
import { assertTold, exchangeInvariants, EXCHANGE_WANTED } from './exchange-invariants.ts'
import { EXCHANGE_INPUTS, EXCHANGE_PRINCIPALS, WAYS } from './exchange-ways.ts'
import type { MachineLists } from './machine-lists.ts'

const CODES = ['NOT_FOUND', 'CONFLICT', 'STALE_STATE', 'INVALID_STATE_TRANSITION', 'VALIDATION_ERROR']

const WANTED = [
  ...EXCHANGE_WANTED,
  ...Object.keys(reconciler.commands).map((command) => `ok ${command}`),
  ...[...CODES, ...Object.keys(reconciler.schema.errors)].map((code) => `code ${code}`),
]

/**
 * R-I1 to R-I7 and the properties of domain.md §4.12 that hold after every entry, over lists of two people, a third one and a
 * worker, on the machines session, gates and reconciler.
 */
export function reconcilerLists(): MachineLists {
  const reached = new Set<string>()
  return {
    machine: reconciler as unknown as MachineDefinition,
    reached,
    wanted: WANTED,
    rare: {},
    options: {
      stepsMax: 40,
      begin: WAYS,
      drive: [session, gates] as unknown as MachineDefinition[],
      principals: EXCHANGE_PRINCIPALS,
      inputs: EXCHANGE_INPUTS,
      react: ({ payload }, principal) => {
        if (principal.startsWith('user:')) assertTold(payload)
        return null
      },
      // The tables that they are given are those of this machine.
      invariants: exchangeInvariants((what) => reached.add(what)) as never,
    },
  }
}
