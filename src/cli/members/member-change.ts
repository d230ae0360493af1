import { OperatorError } from '../../client/operator/ask-leader.ts'
import { changeMembership, fetchMembers, type MemberList, type WantedChange } from '../../client/operator/members.ts'
import { asked } from '../sessions/asked.ts'
import { EXIT } from '../terminal/exit.ts'
import { print, printJson, say } from '../terminal/output.ts'

/** How often it is looked whether a change is over, ms. */
const LOOK_MS = 200

export interface MemberChangeFlags extends WantedChange {
  readonly endpoints: readonly string[]
  /** Until the change is over, not only accepted. */
  readonly wait: boolean
  readonly json: boolean
}

/** `holdfast member add|promote|remove|replace`. What is refused ends it with exit code 4. */
export async function changeMembers({ endpoints, wait, json, ...change }: MemberChangeFlags): Promise<void> {
  const before = await asked(fetchMembers(endpoints))
  // A member that leads, and is removed, tells nobody of the next leader: the others do.
  const everybody = [...endpoints, ...before.members.flatMap(({ address }) => (address === '' ? [] : [address]))]
  const basedOn = change.basedOn === 0 ? before.index : change.basedOn
  const index = await asked(changeMembership(everybody, { ...change, basedOn }), EXIT.refused)
  if (!wait) return told(change, { json, index, over: false })
  say(`${change.change} ${change.id}: entry ${index} is committed; waiting until the change is over`)
  for (;;) {
    const now = await fetchMembers(everybody).catch(passing)
    if (now !== null && now.index >= index && isOver(change, now)) return told(change, { json, index, over: true })
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

/** Between two leaders nobody answers; the change goes on. */
function passing(error: unknown): null {
  if (error instanceof OperatorError && error.code === 'NO_LEADER') return null
  throw error
}

function isOver({ change, id, learner }: WantedChange, { members, joint, committed }: MemberList): boolean {
  if (joint || !committed) return false
  const member = members.find((line) => line.id === id && line.role !== 'waiting')
  if (change === 'remove') return member === undefined
  return member?.role === (learner ? 'learner' : 'voter')
}

const DONE = { add: 'is a voter', promote: 'is a voter', remove: 'is no member any more', replace: 'is a voter again' }

function told(
  { change, id, learner }: WantedChange,
  { json, index, over }: { json: boolean; index: number; over: boolean },
): void {
  if (json) return printJson({ change, id, index, over })
  if (!over) return print(`${change} ${id}: entry ${index} is committed`)
  print(`${id} ${change === 'add' && learner ? 'is a learner' : DONE[change]}`)
}
