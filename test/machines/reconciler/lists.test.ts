import { describe } from 'vitest'
import { checkLists } from '../lists/check-lists.ts'
import { reconcilerLists } from '../lists/reconciler-lists.ts'

describe('domain.md §4.1 R-I1 R-I2 R-I3 R-I4 R-I5 R-I6 R-I7 and domain.md §4.12 PR1 PR2 PR3 PR4 PR6 PR7 PR8 PR11 over lists of commands', () =>
  checkLists(reconcilerLists))
