import { InvalidArgument } from '../client/check/invalid-argument.ts'
import { isThenable } from '../session/run/returned.ts'
import type { Applied, StateMachine } from '../session/state-machine.ts'

/** One committed entry, as the driver hands it to a state machine. */
export type AppliedEntry = Parameters<StateMachine['apply']>[0]

/** The first entry after which two instances of one machine differ. */
export interface Divergence {
  readonly index: number
  readonly entryKind: string
  readonly what: 'stateHash' | 'reply'
  readonly first: string
  readonly second: string
}

/**
 * A state machine that runs every entry twice, on two instances, and compares replies and running hashes (machines.md §2): for
 * development and tests. The first difference goes to `report`; answers come from the first instance. Throws InvalidArgument
 * when `create` makes no state machine.
 */
export function applyTwice(
  create: () => StateMachine,
  report: (divergence: Divergence) => void,
): {
  readonly first: StateMachine
  readonly second: StateMachine
  apply(entry: AppliedEntry, recordBytes: number): Applied
} {
  const first = stateMachine(create())
  const second = stateMachine(create())
  return {
    first,
    second,
    apply: (entry, recordBytes) => {
      const answer = first.apply(entry, recordBytes)
      const echo = second.apply(entry, recordBytes)
      const place = { index: entry.index, entryKind: entry.kind }
      const replies = [render(answer.reply), render(echo.reply)] as const
      const hashes = [first.stateHash(), second.stateHash()] as const
      if (replies[0] !== replies[1]) report({ ...place, what: 'reply', first: replies[0], second: replies[1] })
      else if (hashes[0] !== hashes[1]) report({ ...place, what: 'stateHash', first: hashes[0], second: hashes[1] })
      return answer
    },
  }
}

function stateMachine(made: StateMachine): StateMachine {
  if (isThenable(made)) {
    // Nobody else waits for it.
    Promise.resolve(made).catch(() => {})
    throw new InvalidArgument('create', 'returned a promise; it has to return the state machine itself')
  }
  if (typeof made?.apply === 'function' && typeof made.stateHash === 'function') return made
  throw new InvalidArgument('create', 'returned no state machine: an object with apply and stateHash')
}

const render = (reply: Applied['reply']): string =>
  JSON.stringify(reply, (_key, value: unknown) => (value instanceof Uint8Array ? [...value] : value))
