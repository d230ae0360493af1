import { groupId, logIndex, nodeId, term } from '../../../src/base/brand.ts'
import type { TermRun } from '../../../src/base/term-run.ts'
import type { EntryKind } from '../../../src/codec/entry/entry.ts'
import type { ConfigurationPayload } from '../../../src/codec/entry/payload.ts'
import { EntryEncoder } from '../../../src/codec/entry/entry-encoder.ts'
import { encodePayload } from '../../../src/codec/entry/payload-codec.ts'
import type { PeerBody, PeerFrame } from '../../../src/node/ports/peer-transport.ts'
import type { Message } from '../../../src/raft/types.ts'
import { Cluster } from '../cluster.ts'
import type { TestNode } from '../test-node.ts'

const [n1, n2, n3] = [nodeId('n1'), nodeId('n2'), nodeId('n3')]

/** A follower without a log, and frames as its leader would send them. */
export function follower(): { node: TestNode; send: (body: PeerBody, overrides?: Partial<PeerFrame>) => void } {
  const cluster = new Cluster({}, ['n1', 'n2', 'n3'])
  const node = cluster.node('n2').start()
  const send = (body: PeerBody, overrides: Partial<PeerFrame> = {}): void => {
    node.driver.onFrame({
      clusterId: 'c1',
      group: groupId(0),
      sender: n1,
      recipient: n2,
      senderInstance: 'instance-n1',
      recipientInstance: 'instance-n2',
      body,
      ...overrides,
    })
    cluster.clock.settle()
  }
  return { node, send }
}

export const members = [n1, n2, n3].map((id) => ({ id, address: `${id}:1`, instanceId: `instance-${id}` }))
/** Payload of a Configuration of those three, but for what is said. */
export function configuration(differs: Partial<ConfigurationPayload> = {}): Uint8Array {
  const none = { learners: [], outgoing: [], promoting: [], removed: [] }
  return encodePayload('Configuration', { clusterId: 'c1', incarnation: 1, voters: members, ...none, ...differs })
}

const CONFIGURATION = configuration()

export function records(
  entries: readonly { kind: EntryKind; payload: Uint8Array; term?: number }[],
  first = 1,
): Uint8Array {
  const encoder = new EntryEncoder()
  let chain = 0
  entries.forEach((entry, at) => {
    chain = encoder.append({
      kind: entry.kind,
      group: groupId(0),
      index: logIndex(first + at),
      term: term(entry.term ?? 1),
      lease: 0,
      now: 5,
      previousChain: chain,
      payload: entry.payload,
    })
  })
  return encoder.finish()
}

export function appendEntries(bytes: Uint8Array, runs: readonly [number, number, number][]): PeerBody {
  const message: Message = {
    kind: 'appendEntries',
    term: term(1),
    prevLogIndex: logIndex(0),
    prevLogTerm: term(0),
    runs: runs.map(([first, last, of]): TermRun => ({ first: logIndex(first), last: logIndex(last), term: term(of) })),
    leaderCommit: logIndex(0),
    configurations: [],
    sequence: 1,
  }
  return { kind: 'raft', message, records: bytes, wallMs: 5 }
}

export const PRE_VOTE: Message = {
  kind: 'preVoteRequest',
  term: term(1),
  lastLogIndex: logIndex(9),
  lastLogTerm: term(1),
}

export const GOOD = records([
  { kind: 'Configuration', payload: CONFIGURATION },
  { kind: 'Noop', payload: new Uint8Array(0) },
])
