import { expect, test } from 'vitest'
import { groupId, logIndex, nodeId, term, writeNumber } from '../../src/base/brand.ts'
import { EntryEncoder } from '../../src/codec/entry/entry-encoder.ts'
import type { LogStore } from '../../src/node/ports/log-store.ts'
import { Invariants } from '../../src/sim/checkers/invariants.ts'
import { LogWitness, type WitnessedEntry } from '../../src/sim/log-witness.ts'

const HARD_STATE = { currentTerm: term(2), votedFor: null }
const NOWHERE = { append: () => undefined } as unknown as LogStore

function witness(entries: readonly WitnessedEntry[]): LogWitness {
  return new LogWitness(NOWHERE, { entries, hardState: HARD_STATE }, () => undefined)
}

/** Entries 1 and 2 of term 1, durable; then a write of entry 2 of term 2 in the place of the other one, under way. */
function truncating(): LogWitness {
  const log = witness([])
  write(log, { number: 1, first: 1, terms: [1, 1], truncateFrom: null })
  log.persisted(writeNumber(1))
  write(log, { number: 2, first: 2, terms: [2], truncateFrom: 2 })
  return log
}

function write(
  log: LogWitness,
  of: { number: number; first: number; terms: readonly number[]; truncateFrom: number | null },
): void {
  const encoder = new EntryEncoder()
  let previousChain = log.entries[of.first - 1]?.chain ?? 0
  of.terms.forEach((entryTerm, at) => {
    const index = logIndex(of.first + at)
    const payload = new Uint8Array(0)
    const head = { kind: 'Noop', group: groupId(0), index, term: term(entryTerm), lease: 0, now: 0 } as const
    previousChain = encoder.append({ ...head, previousChain, payload })
  })
  log.append({
    write: writeNumber(of.number),
    hardState: HARD_STATE,
    truncateFrom: of.truncateFrom === null ? null : logIndex(of.truncateFrom),
    records: encoder.finish(),
    firstIndex: logIndex(of.first),
    count: of.terms.length,
  })
}

function reopen(before: LogWitness, entries: readonly WitnessedEntry[]): void {
  new Invariants().reopened(nodeId('n1'), {
    before,
    now: witness(entries),
    firstIndex: 1,
    damaged: false,
    census: false,
  })
}

test('a write that was under way at the crash may have truncated what was durable, or not', () => {
  const before = truncating()
  reopen(before, before.durable)
  reopen(before, before.entries)
  reopen(before, before.entries.slice(0, 2))
})

test('a durable entry that nothing truncated is missed, and one that nobody wrote is noticed', () => {
  const before = truncating()
  const lost = 'a durable entry survives restarts'
  expect(() => reopen(before, before.entries.slice(0, 1))).toThrow(lost)
  const foreign = [...before.entries.slice(0, 2), { term: 2, chain: 1 }]
  expect(() => reopen(before, foreign)).toThrow(lost)
})
