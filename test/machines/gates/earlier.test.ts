import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { gates, reconciler, session } from '../../../src/machines/index.ts'
import { temporaryDirectory } from '../../../src/storage/disk/temporary-directory.ts'
import { embeddedNode } from '../../../src/testing/index.ts'
import { A, B } from './world.ts'

const SEED = '0123456789abcdef0123456789abcdef'
let directory = ''
let remove = async (): Promise<void> => undefined
beforeEach(async () => {
  const made = await temporaryDirectory()
  directory = made.path
  remove = made.remove
})
afterEach(() => remove())

type Machines = readonly (typeof session | typeof gates | typeof reconciler)[]

/** A node of these machines on the directory, with the clients of both people. */
async function nodeOf(machines: Machines) {
  const node = await embeddedNode({ directory, machines: machines as never })
  const ready = (): boolean => machines.every(({ name }) => node.node.machine.activeVersion(name) === 1)
  while (!ready()) await new Promise((resolve) => node.node.waitApplied(node.node.machine.appliedIndex + 1, resolve))
  const clients = new Map<string, Awaited<ReturnType<typeof node.session>>>()
  for (const user of [A, B]) clients.set(user, await node.session(user, { machines } as never))
  const client = (user: string) => clients.get(user) as NonNullable<ReturnType<typeof clients.get>>
  return {
    run: (user: string, machine: string, command: string, input: object): Promise<unknown> =>
      client(user).execute(machine as never, command as never, input as never),
    ask: (user: string, machine: string, query: string, input: object): Promise<unknown> =>
      client(user).query(machine as never, query as never, input as never),
    close: async () => {
      for (const each of clients.values()) await each.close()
      await node.close()
    },
  }
}

describe('a dialogue that was activated before there was a machine gates or reconciler', () => {
  test('stands at stage 0 once a build with gates runs, and both go on from there', async () => {
    const sid = 'ses-1'
    const before = await nodeOf([session])
    const invitee = { kind: 'email', ref: 'b@x.io' }
    await before.run(A, 'session', 'create', { invitee, tokenSeed: SEED, sendNow: true })
    const token = `inv-1-${SEED}`
    const accepted = await before.run(B, 'session', 'acceptInvitation', { invitationId: 'inv-1', token })
    expect(accepted).toMatchObject({ kind: 'ok', value: { session: { status: 'ACTIVE' } } })
    expect(await before.ask(A, 'session', 'get', { sid })).toMatchObject({
      value: { own: { stage: null, status: 'NOT_STARTED' } },
    })
    await before.close()
    const after = await nodeOf([session, gates, reconciler])
    try {
      expect(await after.ask(A, 'gates', 'progress', { sid })).toMatchObject({
        value: { own: { stage: null, status: 'NOT_STARTED', gatesSatisfied: { compactSigned: false } } },
      })
      const guess = { sid, draftVersion: 1 }
      expect(await after.ask(A, 'reconciler', 'status', { sid })).toMatchObject({ value: { own: { status: null } } })
      expect(await after.run(A, 'reconciler', 'consent', guess)).toMatchObject({
        code: 'WRONG_STAGE',
        details: { required: [2], actual: 0 },
      })
      const advance = { sid, fromStage: 0, toStage: 1 }
      expect(await after.run(B, 'gates', 'advanceStage', advance)).toMatchObject({ code: 'GATES_NOT_SATISFIED' })
      expect(await after.run(A, 'gates', 'signCompact', { sid, agreed: true })).toMatchObject({ kind: 'ok' })
      expect(await after.ask(B, 'session', 'get', { sid })).toMatchObject({
        value: { displayStatus: 'WAITING', partner: { stage: 0, status: 'GATE_PENDING' } },
      })
      expect(await after.run(B, 'gates', 'signCompact', { sid, agreed: true })).toMatchObject({ kind: 'ok' })
      for (const user of [B, A]) {
        expect(await after.run(user, 'gates', 'advanceStage', advance)).toMatchObject({ value: { stage: 1 } })
      }
      expect(await after.run(A, 'session', 'withdraw', { sid })).toMatchObject({ kind: 'ok' })
    } finally {
      await after.close()
    }
  })
})
