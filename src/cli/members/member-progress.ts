import { unreachable } from '../../base/assert.ts'
import type { MemberLine, MemberList, WantedChange } from '../../client/operator/members.ts'

type Change = Pick<WantedChange, 'change' | 'id' | 'learner'>

/**
 * How far a change is that was committed, by a later list: `undone` when somebody's change since has taken back what it was
 * for, so that nobody must wait for its end.
 */
export function progressOf({ change, id, learner }: Change, list: MemberList): 'pending' | 'over' | 'undone' {
  if (list.joint || !list.committed) return 'pending'
  const member = memberOf(id, list)
  if (change === 'remove') return member === undefined ? 'over' : 'undone'
  if (member === undefined) return 'undone'
  if (member.role === 'promoting') return 'pending'
  return member.role === 'voter' || learner ? 'over' : 'undone'
}

/**
 * Whether the list, which is another one than `before`, shows what the change was for as done or under way: then the answer to
 * an earlier request was lost, or somebody else has made the same change, which comes to the same.
 */
export function isMade({ change, id }: Change, before: MemberList, list: MemberList): boolean {
  if (list.index <= before.index) return false
  const member = memberOf(id, list)
  switch (change) {
    case 'remove':
      return member === undefined || member.role === 'leaving'
    case 'add':
      return member !== undefined
    case 'promote':
      return member?.role === 'promoting' || member?.role === 'voter'
    case 'replace':
      return member !== undefined && member.instance !== memberOf(id, before)?.instance
    default:
      return unreachable(change)
  }
}

/** A disk that is being replaced is shown beside the one that replaces it: the newcomer counts. */
function memberOf(id: string, { members }: MemberList): MemberLine | undefined {
  const lines = members.filter((line) => line.id === id && line.role !== 'waiting')
  return lines.find(({ role }) => role !== 'leaving') ?? lines[0]
}
