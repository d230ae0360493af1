import { describe } from 'vitest'
import { checkLists } from '../lists/check-lists.ts'
import { conciergeLists } from '../lists/concierge-lists.ts'

// PC1 and PC6 are what checkMachine checks of every list: a replica elsewhere, and one restored before each entry.
describe('domain.md §5.2 C-I1 C-I2 and domain.md §5.10 PC1 PC2 PC3 PC6 PC8 over lists of commands', () =>
  checkLists(conciergeLists))
