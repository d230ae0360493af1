import { expect, test } from 'vitest'
import { isMade, progressOf } from '../../../src/cli/members/member-progress.ts'
import type { MemberLine, MemberList, WantedChange } from '../../../src/client/operator/members.ts'

type Role = MemberLine['role']

function list(
  index: number,
  members: readonly (readonly [string, Role, string?])[],
  over: Partial<MemberList> = {},
): MemberList {
  const lines = members.map(([id, role, instance = `i-${id}`]) => ({
    id,
    role,
    instance,
    address: '',
    matchIndex: 0,
    contactMs: null,
  }))
  const by = { node: 'n1', term: 1, appliedIndex: 9 }
  return { by, clusterId: 'c', index, committed: true, joint: false, members: lines, ...over }
}
const change = (kind: WantedChange['change'], id = 'n4', learner = false) => ({ change: kind, id, learner })

const TWO = [
  ['n1', 'voter'],
  ['n4', 'voter'],
] as const

test.each([
  ['remove', [['n1', 'voter']], {}, 'over'],
  ['remove', TWO, { joint: true }, 'pending'],
  ['remove', TWO, {}, 'undone'],
  ['add', [['n1', 'voter']], {}, 'undone'],
  [
    'add',
    [
      ['n1', 'voter'],
      ['n4', 'promoting'],
    ],
    {},
    'pending',
  ],
  [
    'add',
    [
      ['n1', 'voter'],
      ['n4', 'learner'],
    ],
    {},
    'undone',
  ],
  ['add', TWO, { committed: false }, 'pending'],
  ['add', TWO, {}, 'over'],
  // Somebody else removed it again: it waits anew, and nobody makes it a voter.
  [
    'replace',
    [
      ['n1', 'voter'],
      ['n4', 'waiting'],
    ],
    {},
    'undone',
  ],
] as const)('%s n4, by the members %j, %j: %s', (kind, members, over, expected) => {
  expect(progressOf(change(kind), list(9, members, over))).toBe(expected)
})

test('a member that is to stay a learner is one at once', () => {
  const members = [
    ['n1', 'voter'],
    ['n4', 'learner'],
  ] as const
  expect(progressOf(change('add', 'n4', true), list(9, members))).toBe('over')
})

test('a change whose answer was lost is told by what the list shows since', () => {
  const before = list(9, TWO)
  const gone = [['n1', 'voter']] as const
  expect(isMade(change('remove'), before, list(9, TWO))).toBe(false)
  expect(isMade(change('remove'), before, list(10, [...gone, ['n4', 'leaving']]))).toBe(true)
  expect(isMade(change('remove'), before, list(11, gone))).toBe(true)
  expect(isMade(change('remove'), before, list(10, TWO))).toBe(false)
  // It was there before, and nothing has been committed since.
  expect(isMade(change('add'), before, before)).toBe(false)
  expect(isMade(change('add', 'n5'), before, list(10, [...TWO, ['n5', 'promoting']]))).toBe(true)
  expect(isMade(change('add', 'n5'), before, list(10, [...TWO, ['n6', 'promoting'], ['n5', 'waiting']]))).toBe(false)
  const learner = list(9, [...TWO, ['n5', 'learner']])
  expect(isMade(change('promote', 'n5'), learner, list(10, [...TWO, ['n5', 'learner'], ['n6', 'learner']]))).toBe(false)
  expect(isMade(change('promote', 'n5'), learner, list(10, [...TWO, ['n5', 'promoting']]))).toBe(true)
  expect(isMade(change('replace'), before, list(10, [...gone, ['n4', 'leaving'], ['n4', 'promoting', 'new']]))).toBe(
    true,
  )
  expect(isMade(change('replace'), before, list(10, [...TWO, ['n6', 'learner']]))).toBe(false)
})
