import { describe } from 'vitest'
import { checkLists } from '../lists/check-lists.ts'
import { paymentsLists } from '../lists/payments-lists.ts'

describe('domain.md §3.12 PP1 PP2 PP3 PP4 PP6 PP9 PP10 PP11 and PP12 one receipt, over lists of commands', () =>
  checkLists(paymentsLists))
