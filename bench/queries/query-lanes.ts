import { encodeValue } from '../../src/client/index.ts'
import type { MultiSession } from '../../src/client/session/multi-session.ts'
import type { Lanes } from '../closed-loop.ts'

const QUERY_MS_MAX = 60_000

/** Linearizable reads of one register, one in flight per lane, spread over the connections of these hubs. */
export function queryLanes(hubs: readonly MultiSession[], count: number, key: string): Lanes {
  const input = encodeValue({ key })
  const request = {
    consistency: 'linearizable',
    incarnation: 0,
    minIndex: 0,
    machine: 'register',
    query: 'read',
    input,
  } as const
  return {
    count,
    send: (lane, done) => {
      const hub = hubs[lane % hubs.length]
      if (hub === undefined) throw new Error('there is a connection')
      hub.query(request, QUERY_MS_MAX, (outcome) => done(outcome.kind === 'ok'))
    },
  }
}
