import { OperatorError } from '../../client/operator/ask-leader.ts'
import { changeMembership, fetchMembers, type MemberList, type WantedChange } from '../../client/operator/members.ts'
import { asked } from '../sessions/asked.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import { print, printJson, say } from '../terminal/output.ts'
import { isMade, progressOf } from './member-progress.ts'

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
  const index = await asked(
    changeMembership(everybody, { ...change, basedOn }).catch((error) => {
      if (basedOn !== before.index) throw error
      return madeAlready(error, { change, before, endpoints: everybody })
    }),
    EXIT.refused,
  )
  if (!wait) return told(change, { json, index, over: false })
  say(`${change.change} ${change.id}: entry ${index} is committed; waiting until the change is over`)
  for (;;) {
    const now = await fetchMembers(everybody).catch(passing)
    const progress = now === null || now.index < index ? 'pending' : progressOf(change, now)
    if (progress === 'over') return told(change, { json, index, over: true })
    if (progress === 'undone') throw undone(change)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

/** Between two leaders nobody answers; the change goes on. */
function passing(error: unknown): null {
  if (error instanceof OperatorError && error.code === 'NO_LEADER') return null
  throw error
}

interface Lost {
  readonly change: WantedChange
  readonly before: MemberList
  readonly endpoints: readonly string[]
}

/**
 * The leader that made the change may have gone with its answer: asked again, the next one says that a change is under way, or
 * was made since. Index of its configuration once that is committed, if it is this one; else it is refused as it was.
 */
async function madeAlready(error: unknown, { change, before, endpoints }: Lost): Promise<number> {
  if (!(error instanceof OperatorError) || !['CHANGED_SINCE', 'CHANGE_UNDERWAY'].includes(error.code)) throw error
  for (;;) {
    const now = await fetchMembers(endpoints)
    if (!isMade(change, before, now)) throw error
    if (now.committed) return now.index
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

function undone({ change, id }: WantedChange): CommandError {
  const what = `${change} ${id} was committed, and a later change has undone it before it was over`
  return new CommandError(EXIT.refused, what, 'Look at `holdfast member list`.', 'CHANGED_SINCE')
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
