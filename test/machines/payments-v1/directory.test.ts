import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { counter, payments, paymentsV1, register } from '../../../src/machines/index.ts'
import { identityOf } from '../../../src/machine/index.ts'
import { mount } from '../../../src/machine/run/mount.ts'
import { temporaryDirectory } from '../../../src/storage/disk/temporary-directory.ts'
import { embeddedNode } from '../../../src/testing/index.ts'
import { codec, Log } from '../../session/log.ts'
import { EARLIER, entriesOf, unpackEarlier } from './earlier-directory.ts'

let path = ''
let remove = async (): Promise<void> => undefined
beforeEach(async () => {
  const directory = await temporaryDirectory()
  path = directory.path
  remove = directory.remove
  unpackEarlier(path)
})
afterEach(() => remove())

/** Its log, applied by the machines of this build. */
async function replayed(): Promise<Log> {
  const log = new Log(mount([counter, register, paymentsV1, payments], codec).userMachine, null)
  for (const { entry, bytes } of await entriesOf(path)) {
    log.entries.push(entry)
    log.machine.apply(entry, bytes)
    log.now = entry.now
    log.lease = entry.lease
  }
  return log
}

const { schema } = identityOf(payments)
const advance = (log: Log): void =>
  void log.append('AdvanceVersion', { machines: [{ machine: 'payments', to: 2, schema }] })

/** A query's value, asked by an administrator. */
function ask(log: Log, query: string, input: object): unknown {
  const session = log.open(`admin#${log.entries.length}`, { principal: 'admin:ada' })
  const outcome = log.machine.query({ machine: 'payments', query, input: input as never, session })
  if (outcome.kind !== 'value') throw new Error(`${query}: ${outcome.code}`)
  return outcome.value
}

describe('a directory that version 1 wrote', () => {
  test('is applied to the same hash and the same values', async () => {
    const log = await replayed()
    expect(log.machine.appliedIndex).toBe(EARLIER.appliedIndex)
    expect(log.machine.stateHash()).toBe(EARLIER.hash)
    expect(log.machine.activeVersion('payments')).toBe(1)
    expect(ask(log, 'totals', {})).toEqual(EARLIER.totals)
    expect(EARLIER.bookings.map(({ id }) => ask(log, 'get', { id }))).toEqual(EARLIER.bookings)
  })

  test('goes over to version 2 in one entry, and what it holds has the values that it had', async () => {
    const log = await replayed()
    advance(log)
    expect(log.reports.filter(({ kind }) => kind === 'failure')).toEqual([])
    expect(log.machine.activeVersion('payments')).toBe(2)
    expect(ask(log, 'totals', {})).toMatchObject(EARLIER.totals)
    expect(EARLIER.bookings.map(({ id }) => ask(log, 'get', { id }))).toMatchObject(EARLIER.bookings)
    log.machine.checkInvariants()
  })

  test('has its money told apart after the switch: receipts in one form, sums, and what is in suspense', async () => {
    const log = await replayed()
    advance(log)
    // 8,500,000 applied and 900,000 orphaned; 7,400,000 of it goes back; 100,000 of two pushes that nobody started.
    expect(ask(log, 'totals', {})).toMatchObject({
      money: {
        receivedMinor: 9_500_000,
        keptMinor: 2_000_000,
        owedMinor: 7_400_000,
        refundedMinor: 0,
        suspenseMinor: 100_000,
        balanced: true,
      },
    })
    expect(ask(log, 'suspense', { after: '', limit: 10 })).toMatchObject({
      money: [
        { transactionId: 'ws_CO_q', checkoutRequestId: 'ws_CO_q', amountMinor: 70_000, receipt: 'SUS1' },
        { transactionId: 'ws_CO_u', checkoutRequestId: null, amountMinor: 30_000, receipt: null },
      ],
    })
    const receipt = (id: string): unknown =>
      (ask(log, 'get', { id }) as { captures: { receipt: string }[] }).captures[0]?.receipt
    // It was told as `rkt5abc`, with a space behind it.
    expect([receipt('bkg-5'), receipt('bkg-6'), receipt('bkg-11')]).toEqual(['RKT5ABC', 'RKT6ABC', 'MNL7'])
  })

  test('is switched by a node with both versions, and its bookings go on', async () => {
    const machines = [counter, register, paymentsV1, payments] as never
    const node = await embeddedNode({ directory: path, machines })
    try {
      while (node.node.machine.activeVersion('payments') !== 2) {
        await new Promise((resolve) => node.node.waitApplied(node.node.machine.appliedIndex + 1, resolve))
      }
      const client = await node.session('user:client', { machines: [payments] } as never)
      const run = (command: string, input: object): Promise<unknown> =>
        client.execute('payments' as never, command as never, input as never)
      const form = { id: 'bkg-6', formId: 'intake', contentHash: 'a'.repeat(64) }
      expect(await run('completeForm', form)).toMatchObject({
        kind: 'ok',
        value: { session: 'ready', payment: 'confirmed' },
      })
      await client.close()
    } finally {
      await node.close()
    }
  })
})
