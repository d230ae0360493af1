import type { MissingTools } from '../world/tools.ts'
import { CLOCK_FAULTS } from './clock-faults.ts'
import { DISK_FAULTS } from './disk-faults.ts'
import type { Fault } from './fault.ts'
import { NETWORK_FAULTS } from './network-faults.ts'
import { OPERATOR_FAULTS } from './operator-faults.ts'
import { PROCESS_FAULTS } from './process-faults.ts'

/** Every fault of the bench. */
export const FAULTS: readonly Fault[] = [
  ...PROCESS_FAULTS,
  ...NETWORK_FAULTS,
  ...DISK_FAULTS,
  ...CLOCK_FAULTS,
  ...OPERATOR_FAULTS,
]

export const FAULT_NAMES: readonly string[] = FAULTS.map(({ name }) => name)

/** Why a fault cannot be made here; null: it can. */
export function skipReason({ needs }: Fault, missing: MissingTools): string | null {
  for (const tool of needs) {
    const reason = missing.get(tool)
    if (reason !== undefined) return `${tool}: ${reason}`
  }
  return null
}
