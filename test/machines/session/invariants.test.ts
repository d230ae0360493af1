import { describe, expect, test } from 'vitest'
import { assertDialogue, moveDialogue } from '../../../src/machines/session/change/move.ts'
import type { Dialogue } from '../../../src/machines/session/facts/rows.ts'
import type { SessionContext } from '../../../src/machines/session/facts/session-schema.ts'
import type { DialogueStatus } from '../../../src/machines/index.ts'
import { A, B, World } from './world.ts'

/** The row of a dialogue in that state. */
function rowOf(status: DialogueStatus): Dialogue {
  const world = new World()
  world.dialogueIn(status)
  const [[, row] = []] = world.harness.table('session', 'dialogues')
  if (row === undefined) throw new Error('no dialogue')
  return row
}

describe('domain.md §1.1 what cannot be is a bug', () => {
  test.each(['CREATED', 'INVITED', 'ACTIVE', 'PAUSED', 'RESOLVED', 'ABANDONED'] as const)('%s as it is', (status) => {
    expect(() => assertDialogue(rowOf(status))).not.toThrow()
  })

  const withInvitation = (row: Dialogue, status: Dialogue['invitation']['status']): Dialogue => ({
    ...row,
    invitation: { ...row.invitation, status },
  })

  test.each([
    ['L-I1 ACTIVE without a partner', () => ({ ...rowOf('ACTIVE'), partnerId: null }), /without a partner/],
    ['L-I1 PAUSED without an acceptance', () => withInvitation(rowOf('PAUSED'), 'PENDING'), /without a partner/],
    ['L-I1 CREATED with a partner', () => ({ ...rowOf('CREATED'), partnerId: B }), /with a partner/],
    ['L-I2 ACTIVE with a pause', () => ({ ...rowOf('ACTIVE'), pause: rowOf('PAUSED').pause }), /with a pause/],
    ['L-I2 PAUSED without one', () => ({ ...rowOf('PAUSED'), pause: null }), /without a pause/],
    ['L-I3 INVITED with a draft', () => withInvitation(rowOf('INVITED'), 'DRAFT'), /invitation DRAFT/],
    [
      'L-I3 ABANDONED with one that is pending',
      () => withInvitation(rowOf('ABANDONED'), 'PENDING'),
      /invitation PENDING/,
    ],
    ['L-I7 the creator as partner', () => ({ ...rowOf('ACTIVE'), partnerId: A }), /with itself/],
  ] as const)('%s', (_what, made, message) => {
    expect(() => assertDialogue(made())).toThrow(message)
  })

  test('a move that its state does not allow', () => {
    const move = () => moveDialogue({} as SessionContext, rowOf('RESOLVED'), { move: 'pause', fields: {} })
    expect(move).toThrow('ses-1 is RESOLVED, which pause does not leave')
  })
})
