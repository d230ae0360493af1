import { describe } from 'vitest'
import { checkLists } from '../lists/check-lists.ts'
import { gatesLists } from '../lists/gates-lists.ts'

describe('domain.md §2.11 PG1 PG5 PG6 PG8 over lists of commands', () => checkLists(gatesLists))
