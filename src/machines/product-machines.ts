import type { Mountable } from '../machine/index.ts'
import { concierge } from './concierge/machine.ts'
import { counter } from './counter.ts'
import { gates } from './gates/machine.ts'
import { payments } from './payments/machine.ts'
import { paymentsV1 } from './payments-v1/machine.ts'
import { reconciler } from './reconciler/machine.ts'
import { register } from './register.ts'
import { session } from './session/machine.ts'

/** What a node runs that is given no machines, in every version that its logs may hold. */
export const PRODUCT_MACHINES: readonly Mountable[] = [
  counter,
  register,
  paymentsV1,
  payments,
  session,
  gates,
  reconciler,
  concierge,
]
