import { type MachineFailure, meaningOf, nameOfPart } from '../../session/machine-report.ts'

/** What a machine threw, itself; or the sentence about what it did that counts as thrown. */
export function thrownBy({ part, reason, error }: MachineFailure): Error {
  return error instanceof Error ? error : new Error(`${nameOfPart(part)}: ${meaningOf(reason)}`, { cause: error })
}
