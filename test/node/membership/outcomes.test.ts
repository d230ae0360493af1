import { expect, test } from 'vitest'
import { type LogIndex, logIndex, type NodeId, nodeId } from '../../../src/base/brand.ts'
import type { ConfigurationPayload } from '../../../src/codec/entry/payload.ts'
import { decodePayload, encodePayload } from '../../../src/codec/entry/payload-codec.ts'
import { Applicants } from '../../../src/node/membership/applicants.ts'
import { Members } from '../../../src/node/membership/members.ts'
import { type ChangeOutcome, Membership, type MembershipParts } from '../../../src/node/membership/membership.ts'
import type { DriverOptions } from '../../../src/node/options.ts'
import type { Configuration, RaftEvent } from '../../../src/raft/types.ts'

const [n1, n2, n3, n4] = [nodeId('n1'), nodeId('n2'), nodeId('n3'), nodeId('n4')]
const NOBODY = { learners: [], outgoing: [], promoting: [] }
const WITHOUT_N3: Configuration = { ...NOBODY, voters: [n1, n2], outgoing: [n1, n2, n3], learners: [n4] }
const WITH_N4: Configuration = { ...NOBODY, voters: [n1, n2, n3, n4], outgoing: [n1, n2, n3] }

const payloadOf = ({ voters, learners, outgoing, promoting }: Configuration): ConfigurationPayload => {
  const named = (ids: readonly NodeId[]) => ids.map((id) => ({ id, address: `${id}:1`, instanceId: `instance-${id}` }))
  const lists = { voters: named(voters), learners: named(learners), outgoing: named(outgoing), promoting }
  return { clusterId: 'c1', incarnation: 1, removed: [], ...lists }
}

/** The membership of a leader, whose core the test plays. */
function world() {
  const members = new Members([])
  const hold = (index: number, payload: ConfigurationPayload): void =>
    members.add({ index: logIndex(index), payload, bytes: encodePayload('Configuration', payload) })
  hold(1, payloadOf({ ...NOBODY, voters: [n1, n2, n3], learners: [n4], promoting: [n4] }))
  const events: RaftEvent[] = []
  const waiting: ((reached: boolean) => void)[] = []
  let configurations: readonly { readonly index: LogIndex; readonly configuration: Configuration }[] = []
  const identity = { id: n1, instance: 'instance-n1' }
  const clock = { monotonicMs: () => 0 }
  const options = { identity, clock, transport: { removePeer: () => undefined } } as unknown as DriverOptions
  const membership = new Membership(options, {
    node: {
      get raftState() {
        return { configurations }
      },
      addressOf: () => null,
      waitApplied: (_index: number, done: (reached: boolean) => void) => waiting.push(done),
    },
    members,
    applicants: new Applicants(),
    enqueue: (event: RaftEvent) => events.push(event),
    removed: () => undefined,
  } as unknown as MembershipParts)
  /** The core appends that one, and the log holds it. */
  const append = (index: number, configuration: Configuration): void => {
    configurations = [{ index: logIndex(index), configuration }]
    hold(index, decodePayload('Configuration', membership.payloadAt(logIndex(index))))
  }
  const remove = (): readonly ChangeOutcome[] => {
    const told: ChangeOutcome[] = []
    const change = { kind: 'remove', id: n3, learner: false, basedOn: null } as const
    membership.change(change, (outcome) => told.push(outcome))
    return told
  }
  return { membership, events, waiting, hold, append, remove }
}

test('a configuration that the core appends by itself, while a change waits for its step, is not what was asked for', () => {
  const { membership, events, waiting, append, remove } = world()
  const told = remove()
  // A learner has caught up: it is promoted.
  append(10, WITH_N4)
  expect([events.length, waiting.length]).toEqual([1, 0])
  membership.begin()
  membership.refused('CHANGED_SINCE')
  expect(told).toEqual([{ kind: 'refused', code: 'CHANGED_SINCE' }])
})

test('a change is made once the entry that its own step has appended is applied', () => {
  const { membership, waiting, append, remove } = world()
  const told = remove()
  membership.begin()
  append(10, WITHOUT_N3)
  // The core goes on by itself.
  append(11, { ...NOBODY, voters: [n1, n2], learners: [n4] })
  expect([told, waiting.length]).toEqual([[], 1])
  waiting[0]?.(true)
  expect(told).toEqual([{ kind: 'changed', index: 10 }])
})

test('a configuration of another leader, at the index of the one that was asked for, is not that one', () => {
  const { membership, waiting, hold, append, remove } = world()
  const told = remove()
  membership.begin()
  append(10, WITHOUT_N3)
  hold(10, payloadOf(WITH_N4))
  waiting[0]?.(true)
  expect(told).toEqual([{ kind: 'unknown' }])
})

test('a node that has stopped tells who asks for a change so, before and after', () => {
  const { membership, remove } = world()
  const before = remove()
  membership.stop()
  expect([before, remove()]).toEqual([[{ kind: 'unknown' }], [{ kind: 'unknown' }]])
})
