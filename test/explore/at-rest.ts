import { type WriteNumber, writeNumber } from '../../src/base/brand.ts'
import type { Effect, RaftState } from '../../src/raft/index.ts'
import { NEVER } from '../../src/raft/state.ts'

export type Write = Extract<Effect, { kind: 'persist' }>
export type Send = Extract<Effect, { kind: 'send' }>

/** Every step happens at this time, ms; what is later than another is said by the actions that are taken. */
export const NOW = 1000

/** Links keep their order, so that no answer overtakes another: all messages may have one number. */
export const SEQUENCE = 1000

/**
 * The same state with times, numbers of writes and of messages, and draws put back to where they always are, so that two ways
 * to one situation lead to one state. No decision of the core rests on them but through deadlines, which the actions pass.
 */
export function atRest(state: RaftState): RaftState {
  const { disk } = state
  const by = disk.durableWrite - 1
  const less = (write: WriteNumber): WriteNumber => writeNumber(Math.max(write - by, 1))
  return {
    ...state,
    disk: {
      ...disk,
      lastWrite: less(disk.lastWrite),
      durableWrite: less(disk.durableWrite),
      hardStateWrite: less(disk.hardStateWrite),
      outstanding: disk.outstanding.map((write) => ({ ...write, write: less(write.write) })),
    },
    role: roleAtRest(state.role, less),
    heardLeaderAt: state.heardLeaderAt === null ? null : NOW,
    draws: 0,
  }
}

function roleAtRest(role: RaftState['role'], less: (write: WriteNumber) => WriteNumber): RaftState['role'] {
  const electionDeadline = NOW + 300
  switch (role.kind) {
    case 'follower':
    case 'preCandidate':
      return { ...role, electionDeadline }
    case 'candidate':
      return { ...role, voteWrite: less(role.voteWrite), startedAt: NOW, giveUpAt: electionDeadline, electionDeadline }
    case 'leader': {
      const progress = new Map(
        [...role.progress].map(([id, known]) => [
          id,
          {
            ...known,
            inFlight: known.inFlight.map((sent) => ({ ...sent, sequence: SEQUENCE, sentAt: NOW, bytes: 100 })),
            lastContact: NOW,
            forgivenMs: 0,
            answered: 0,
            followed: 0,
          },
        ]),
      )
      return {
        ...role,
        progress,
        sequence: SEQUENCE,
        sendTimes: [{ sequence: SEQUENCE, at: NOW }],
        heartbeatDeadline: NOW + 50,
        newsDeadline: NEVER,
      }
    }
  }
}

/** The same leader, of whom nobody has heard for longer than an election timeout. */
export function shifted(state: RaftState): RaftState {
  const { role } = state
  if (role.kind !== 'leader') return state
  const progress = new Map(
    [...role.progress].map(([id, known]) => [
      id,
      { ...known, inFlight: known.inFlight.map((sent) => ({ ...sent, sentAt: NOW - 1000 })) },
    ]),
  )
  return { ...state, role: { ...role, progress } }
}
