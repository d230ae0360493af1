import { readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { logIndex, term } from '../../../src/base/brand.ts'
import type { Entry, EntryKind } from '../../../src/codec/entry/entry.ts'
import { identityOf } from '../../../src/machine/index.ts'
import { mount } from '../../../src/machine/run/mount.ts'
import { payments, paymentsV1 } from '../../../src/machines/index.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { UserStateMachine } from '../../../src/session/user-machine.ts'
import { codec, RECORD_BYTES } from '../../session/log.ts'

/** Kind, `now`, `lease` and payload of an entry, in base64. */
type Line = readonly [EntryKind, number, number, string]
interface GoldenLog {
  /** The running hash after the last entry, which depends on every row, answer and request before it. */
  readonly hash: string
  readonly entries: readonly Line[]
}

/**
 * 332 logs that the build before version 2 wrote while its own tests ran: every command in every state, every timer,
 * every cell of the callbacks' table, tasks that fail and succeed, and random histories.
 */
function goldenLogs(): readonly GoldenLog[] {
  const { brotli } = JSON.parse(readFileSync(new URL('golden-logs.json', import.meta.url), 'utf8')) as {
    readonly brotli: readonly string[]
  }
  return JSON.parse(brotliDecompressSync(Buffer.from(brotli.join(''), 'base64')).toString()) as GoldenLog[]
}

/** The running hash of a log, by both versions: none of its entries switches, so version 1 runs. */
function replay({ entries }: GoldenLog, machines: UserStateMachine): string {
  const machine = new SessionStateMachine(machines, codec)
  for (const [position, [kind, now, lease, payload]] of entries.entries()) {
    const bytes = new Uint8Array(Buffer.from(payload, 'base64'))
    const entry: Entry = { kind, index: logIndex(position + 1), term: term(1), now, lease, payload: bytes }
    machine.apply(entry, RECORD_BYTES)
  }
  return machine.stateHash()
}

test('version 1 decides, writes and answers to the byte what the build that wrote these logs did', () => {
  const logs = goldenLogs()
  expect(logs).toHaveLength(332)
  const { userMachine } = mount([paymentsV1, payments], codec)
  const wrong = logs.flatMap((log, number) => (replay(log, userMachine) === log.hash ? [] : [number]))
  expect(wrong).toEqual([])
})

test('version 1 declares what it declared: a node that has its logs takes no other', () => {
  expect(identityOf(paymentsV1)).toMatchObject({ name: 'payments', version: 1 })
  expect(identityOf(paymentsV1).schema).toMatchInlineSnapshot(
    `"1304381d0172c4185f6b5456a2596610c13552716aac3a7774fe95f4683171b5"`,
  )
})
