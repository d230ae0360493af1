import { expect, test } from 'vitest'
import type { SessionId } from '../../../src/base/brand.ts'
import type { MachineContext, ServerRequest } from '../../../src/session/user-machine.ts'
import { bareMachine } from '../bare-machine.ts'
import { Log, numbers, swapped } from '../log.ts'

/** What a machine may do with the requests that a session left behind; each freezes the list for good. */
const keeps: [string, (context: MachineContext, other: SessionId, pending: never) => void][] = [
  ['stores', (context, _other, pending) => context.state.set('lost', { pending })],
  ['emits', (context, other, pending) => void context.emit(other, 'lost', { pending })],
  ['audits', (context, _other, pending) => context.audit({ pending })],
]

test.each(keeps)('FM-2 a machine that %s the pending requests of a session that ended harms no other', (_how, keep) => {
  for (const waiting of [0, 1, 3]) {
    for (const boundary of [false, true]) {
      const seen: number[] = []
      const user = bareMachine({ emit: (context) => context.emit(context.session?.id as SessionId, 't', null) })
      let other = '0/1/0' as SessionId
      const log = new Log({
        ...user,
        onSessionExpired: (context, _session, pending: readonly ServerRequest[]) => {
          seen.push(pending.length)
          keep(context, other, pending as never)
        },
      })
      other = `0/1/${log.open('other')}` as SessionId
      const sessions = [log.open('a'), log.open('b')]
      for (const session of sessions) {
        for (let id = 1; id <= waiting; id += 1) log.request(session, id, 'emit')
      }
      if (boundary) swapped(log.machine)
      for (const session of sessions) {
        const { reply } = log.append('CloseSession', { ...numbers(session), epoch: 0, secretHash: new Uint8Array(0) })
        expect(reply).toEqual({ kind: 'closed' })
      }
      expect(seen).toEqual([waiting, waiting])
      expect(log.pending(log.open('later'))).toEqual([])
    }
  }
})
