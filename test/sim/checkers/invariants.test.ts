import { expect, test } from 'vitest'
import { logIndex, nodeId, term } from '../../../src/base/brand.ts'
import type { LogStore } from '../../../src/node/ports/log-store.ts'
import type { ConfigurationEntry } from '../../../src/raft/types.ts'
import { Invariants, type Observed } from '../../../src/sim/checkers/invariants.ts'
import { LogWitness } from '../../../src/sim/log-witness.ts'

const NOWHERE = { append: () => undefined } as unknown as LogStore
const [n1, n2, n3, n4] = [nodeId('n1'), nodeId('n2'), nodeId('n3'), nodeId('n4')]

/** A log of that many entries, on the disk. */
function logOf(length: number): LogWitness {
  const entries = Array.from({ length: length + 1 }, (_, index) => ({ term: 1, chain: index }))
  return new LogWitness(NOWHERE, { entries, hardState: { currentTerm: term(1), votedFor: null } }, () => undefined)
}

const common = { learners: [], promoting: [] }
const BEFORE: ConfigurationEntry = {
  index: logIndex(1),
  configuration: { voters: [n1, n2, n3], outgoing: [], ...common },
}
const JOINT: ConfigurationEntry = {
  index: logIndex(4),
  configuration: { voters: [n2, n3, n4], outgoing: [n1, n2, n3], ...common },
}
const AFTER: ConfigurationEntry = {
  index: logIndex(8),
  configuration: { voters: [n2, n3, n4], outgoing: [], ...common },
}

/** A leader commits up to an index in one step, by the logs that those nodes have on their disks; its own has 8 entries. */
function commit(
  to: number,
  on: { readonly [node: string]: number },
  { newest, appended = newest }: { readonly newest: ConfigurationEntry; readonly appended?: ConfigurationEntry },
): void {
  const invariants = new Invariants()
  const logs = new Map(Object.entries(on).map(([id, length]) => [nodeId(id), [logOf(length)]]))
  invariants.observe(observed(2, newest), () => new Map([n1, n2, n3, n4].map((id) => [id, [logOf(8)]])))
  invariants.observe(observed(to, appended), () => logs)
}

function observed(commitIndex: number, configuration: ConfigurationEntry): Observed {
  const common = { id: n2, role: 'leader', currentTerm: 1, appliedIndex: 0, log: logOf(8) } as const
  return { ...common, commitIndex, configurations: [configuration] }
}

const NO_QUORUM = 'a committed entry is durable on a quorum'

test('an entry is committed by a majority of the voters', () => {
  commit(3, { n2: 3, n3: 3 }, { newest: BEFORE })
  expect(() => commit(3, { n2: 3, n4: 3 }, { newest: BEFORE })).toThrow(NO_QUORUM)
})

test('behind a joint configuration it needs both majorities', () => {
  commit(5, { n1: 5, n2: 5, n4: 5 }, { newest: JOINT })
  expect(() => commit(5, { n2: 5, n4: 5 }, { newest: JOINT })).toThrow(NO_QUORUM)
  expect(() => commit(5, { n1: 5, n2: 5 }, { newest: JOINT })).toThrow(NO_QUORUM)
})

test('once that is committed the next one counts alone, for what lies before it too', () => {
  commit(6, { n1: 4, n2: 6, n4: 6 }, { newest: JOINT, appended: AFTER })
  expect(() => commit(6, { n1: 4, n2: 6, n4: 5 }, { newest: JOINT, appended: AFTER })).toThrow(NO_QUORUM)
})

test('what was committed before is not looked for again, by a process that has just begun', () => {
  const invariants = new Invariants()
  const logs = new Map([n2, n3].map((id) => [id, [logOf(8)]]))
  invariants.observe(observed(6, BEFORE), () => logs)
  invariants.reopened(n2, { before: null, now: logOf(8), firstIndex: 1, damaged: false, census: false })
  invariants.observe(observed(0, JOINT), () => logs)
  invariants.observe(observed(7, AFTER), () => new Map([n2, n4].map((id) => [id, [logOf(id === n2 ? 8 : 7)]])))
})

test('and a joint one is never committed by the next majority alone', () => {
  expect(() => commit(6, { n1: 3, n2: 6, n4: 6 }, { newest: JOINT, appended: AFTER })).toThrow(NO_QUORUM)
})
