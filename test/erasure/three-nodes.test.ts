import { afterEach, describe, expect, test } from 'vitest'
import { agreement, eventually } from '../../bench/agreement.ts'
import { encodeValue } from '../../src/codec/value/encode.ts'
import { sealedParts, SEALED_EXTRA_BYTES, subjectDigest } from '../../src/codec/value/sealed.ts'
import { forgetSubject, type ForgottenSubject } from '../../src/client/operator/forget.ts'
import { OperatorError } from '../../src/client/operator/ask-leader.ts'
import { openSealed } from '../../src/erasure/aead.ts'
import { decodeSlot, SLOT_BYTES, type SubjectKey } from '../../src/erasure/key-record.ts'
import { type Nodes, nodes } from './nodes.ts'
import { filesBelow, holding } from './people.ts'

const TIMEOUT_MS = 120_000
const FORGOTTEN = { $forgotten: true }
const ann = { id: 'ann', phone: '+254700000001', address: { street: 'Koinange Street', house: 7 } }
const bob = { id: 'bob', phone: '+254700000002' }
const gone = { id: 'ann', phone: FORGOTTEN, address: FORGOTTEN }

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function three(): Promise<Nodes> {
  const cluster = await nodes(3)
  opened.push(() => cluster.close())
  return cluster
}

async function sessionOf(cluster: Nodes) {
  const session = await cluster.session('user:1')
  opened.push(() => session.close().then(() => undefined))
  return session
}

function followersOf({ ids, running }: Nodes): Promise<{ leader: string; followers: readonly string[] }> {
  return eventually('a leader', async () => {
    const leader = ids.find((id) => running(id).status().role === 'leader')
    return leader === undefined ? null : { leader, followers: ids.filter((id) => id !== leader) }
  })
}

/** As a person would: the same again while nobody leads. */
function forget(cluster: Nodes, subject: string): Promise<ForgottenSubject> {
  return eventually(`${subject} is forgotten`, () =>
    forgetSubject(cluster.endpoints, subject).catch((error) => {
      if (error instanceof OperatorError && ['NO_LEADER', 'NO_QUORUM', 'NOT_YET_SUPPORTED'].includes(error.code))
        return null
      throw error
    }),
  )
}

/** Every key that is left in any file of any node. */
async function keysLeft(root: string): Promise<readonly SubjectKey[]> {
  const keys: SubjectKey[] = []
  for (const [path, bytes] of await filesBelow(root)) {
    if (!path.endsWith('.keys')) continue
    for (let at = 0; at < bytes.length; at += SLOT_BYTES) {
      const content = decodeSlot(bytes.subarray(at, at + SLOT_BYTES))
      if (typeof content === 'object') keys.push(content)
    }
  }
  return keys
}

/** How many sealed values of a subject lie in the files, and which of these keys opens one of them. */
async function sealedUnder(root: string, subject: string, keys: readonly SubjectKey[]) {
  let found = 0
  const opens: unknown[] = []
  const marks = [Buffer.from(subjectDigest(subject))]
  for (const [path, bytes] of await filesBelow(root)) {
    if (path.endsWith('.keys')) continue
    for (const mark of marks)
      for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) {
        const start = at - 8
        if (start < 0 || bytes[start] !== 0xff) continue
        found += 1
        // Its length stands in front of it, in what holds it: each one is tried.
        for (let length = 1; length < 64; length += 1) {
          const sealed = Uint8Array.from(bytes.subarray(start, start + SEALED_EXTRA_BYTES + length))
          const parts = sealedParts(sealed)
          if (parts === null) continue
          for (const key of keys) {
            const value = openSealed(sealed, parts, key)
            if (value !== undefined) opens.push(value)
          }
        }
      }
  }
  return { found, opens }
}

describe('personal fields on three nodes', () => {
  test(
    'after forget no file of any node yields the subject’s data, by search or by any key left, and hashes are equal',
    async () => {
      const cluster = await three()
      const session = await sessionOf(cluster)
      expect(await session.machines.people.add(ann)).toMatchObject({ kind: 'ok', value: ann })
      expect(await session.machines.people.add(bob)).toMatchObject({ kind: 'ok', value: bob })
      const before = await keysLeft(cluster.root)
      expect(
        before.filter(({ subject }) => Buffer.compare(subject, subjectDigest('ann')) === 0).length,
      ).toBeGreaterThan(1)
      const opensBefore = await sealedUnder(cluster.root, 'ann', before)
      expect(opensBefore.opens).toContainEqual(ann.phone)

      const { index } = await eventually('every voter has destroyed them', async () => {
        const forgotten = await forget(cluster, 'ann')
        return forgotten.missing.length === 0 ? forgotten : null
      })
      await agreement(cluster.endpoints, index)
      for (const consistency of ['linearizable', 'sequential', 'stale'] as const) {
        expect(await session.queries.people.get({ id: 'ann' }, { consistency })).toMatchObject({ value: gone })
        expect(await session.queries.people.get({ id: 'bob' }, { consistency })).toMatchObject({ value: bob })
      }
      await session.close()
      for (const id of cluster.ids) await cluster.stop(id)
      expect(await holding(cluster.root, ann.phone, 'Koinange', encodeValue(ann.address))).toEqual([])
      const left = await keysLeft(cluster.root)
      expect(left.filter(({ subject }) => Buffer.compare(subject, subjectDigest('ann')) === 0)).toEqual([])
      const sealed = await sealedUnder(cluster.root, 'ann', left)
      expect(sealed.found).toBeGreaterThan(5)
      expect(sealed.opens).toEqual([])
      expect((await sealedUnder(cluster.root, 'bob', left)).opens).toContainEqual(bob.phone)
    },
    TIMEOUT_MS,
  )

  test(
    'a voter that was away is named, destroys its keys as it comes back, and opens nothing of the subject before',
    async () => {
      const cluster = await three()
      const session = await sessionOf(cluster)
      await session.machines.people.add(ann)
      const { followers } = await followersOf(cluster)
      const [away = ''] = followers
      await eventually('it has the key', async () =>
        (await keysLeft(cluster.directoryOf(away))).length > 0 ? away : null,
      )
      await cluster.stop(away)
      const { index, missing } = await forget(cluster, 'ann')
      expect(missing).toEqual([away])
      expect((await keysLeft(cluster.directoryOf(away))).length).toBe(1)
      await cluster.start(away)
      const again = await eventually('it has said so', async () => {
        const told = await forget(cluster, 'ann')
        return told.missing.length === 0 ? told : null
      })
      expect(again.index).toBe(index)
      expect(await keysLeft(cluster.directoryOf(away))).toEqual([])
    },
    TIMEOUT_MS,
  )

  test(
    'are written and read while a node is away, and by whoever leads next; who comes back takes the keys over',
    async () => {
      const cluster = await three()
      const session = await sessionOf(cluster)
      const { leader, followers } = await followersOf(cluster)
      const [away = ''] = followers
      await cluster.stop(away)
      expect(await session.machines.people.add(ann)).toMatchObject({ kind: 'ok', value: ann })
      await cluster.start(away)
      await agreement(cluster.endpoints)
      await cluster.stop(leader)
      expect(await session.machines.people.add(bob)).toMatchObject({ kind: 'ok', value: bob })
      expect(await session.queries.people.get({ id: 'ann' })).toMatchObject({ kind: 'ok', value: ann })
      await eventually('it has the keys', async () => {
        const keys = await keysLeft(cluster.directoryOf(away))
        return new Set(keys.map(({ subject }) => Buffer.from(subject).toString('hex'))).size === 2 ? keys : null
      })
    },
    TIMEOUT_MS,
  )
})
