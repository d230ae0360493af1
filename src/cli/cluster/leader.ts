import { transferLeadership } from '../../client/operator/leader.ts'
import { asked } from '../sessions/asked.ts'
import { print, printJson } from '../terminal/output.ts'

export interface TransferFlags {
  readonly endpoints: readonly string[]
  /** '': the best one. */
  readonly to: string
  readonly json: boolean
}

/** `holdfast leader transfer`. */
export async function transferTo({ endpoints, to, json }: TransferFlags): Promise<void> {
  const { leader, address } = await asked(transferLeadership(endpoints, to))
  if (json) printJson({ leader, address })
  else print(leader === '' ? 'handed over; nobody is known to lead yet' : `${leader} leads now, at ${address}`)
}
