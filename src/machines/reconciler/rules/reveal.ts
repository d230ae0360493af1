import type { EmpathyStatus } from '../facts/states.ts'

/** Which of the two directions are revealed now. */
export interface Revealed {
  readonly a: boolean
  readonly b: boolean
}

/**
 * What the reveal check gives for the statuses of the two directions, null where there is no attempt (domain.md §4.5). The
 * first time both have to be READY, and both are shown at once. From then on a READY one is shown alone: to wait for the
 * other, which may be REVEALED for ever, would hide a revision that the subject asked for (C47).
 */
export function revealable(a: EmpathyStatus | null, b: EmpathyStatus | null, firstRevealDone: boolean): Revealed {
  const ready = { a: a === 'READY', b: b === 'READY' }
  if (firstRevealDone) return ready
  const both = ready.a && ready.b
  return { a: both, b: both }
}
