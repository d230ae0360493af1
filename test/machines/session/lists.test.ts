import { describe } from 'vitest'
import { checkLists } from '../lists/check-lists.ts'
import { sessionLists } from '../lists/session-lists.ts'

describe('domain.md §1.1 L-I1 L-I2 L-I3 L-I4 L-I5 L-I6 L-I7 and domain.md §1.11 PL1 PL2 PL3 PL4 PL5 PL6 over lists of commands', () =>
  checkLists(sessionLists))
