import type { PayloadByKind } from '../../../codec/entry/payload.ts'
import { foldForgotten } from '../../state/fold.ts'
import type { ReplicatedState } from '../../state/replicated-state.ts'
import type { Reply } from '../../state-machine.ts'

/**
 * ForgetSubject: from here on every replica knows that the subject has no key. What is stored under it stays as it is,
 * ciphertext in
 * rows and responses, so that every replica, replay and restore has the same state. Repeated it tells when it was done.
 */
export function applyForgetSubject(state: ReplicatedState, { subject }: PayloadByKind['ForgetSubject']): Reply {
  const { subjects, index } = state
  const name = hexOf(subject)
  foldForgotten(state, name)
  const before = subjects.forgotten(name)
  if (before === null) subjects.add(name, index)
  return { kind: 'forgotten', subject: name, at: before ?? index }
}

function hexOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}
