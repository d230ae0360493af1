import { afterEach, describe, expect, test } from 'vitest'
import { encodeValue } from '../../src/codec/value/encode.ts'
import { joinSealed, subjectDigest } from '../../src/codec/value/sealed.ts'
import { forgetSubject } from '../../src/client/operator/forget.ts'
import { embeddedNode } from '../../src/testing/embedded-node.ts'
import { type Nodes, nodes } from './nodes.ts'
import { holding, people } from './people.ts'

const PHONE = '+254700000001'
const FORGOTTEN = { $forgotten: true }
const ann = { id: 'ann', phone: PHONE, address: { street: 'Koinange Street', house: 7 } }
const PLAIN = [PHONE.slice(1), 'Koinange', encodeValue(ann.address)]

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function one() {
  const cluster = await nodes(1)
  opened.push(() => cluster.close())
  const session = await cluster.session('user:1')
  opened.push(() => session.close().then(() => undefined))
  return { cluster, session }
}

/** What a worker is given. */
async function calls(cluster: Nodes): Promise<readonly unknown[]> {
  const given: unknown[] = []
  const caller = await cluster.session('user:2', { roles: ['caller'] })
  opened.push(() => caller.close().then(() => undefined))
  const worker = await caller.worker({
    call: (payload) => {
      given.push(payload)
      return { done: true }
    },
  })
  opened.push(async () => void (await worker.stop()))
  return given
}

describe('a personal field', () => {
  test('is opened for clients in answers, rejections, queries, subscriptions, requests and tasks, and is in no file', async () => {
    const { cluster, session } = await one()
    const requests: unknown[] = []
    session.on('people.added', ({ payload }) => void requests.push(payload))
    const called = await calls(cluster)
    expect(await session.machines.people.add(ann)).toMatchObject({ kind: 'ok', value: ann })
    expect(await session.machines.people.add(ann)).toMatchObject({
      kind: 'rejected',
      code: 'TAKEN',
      details: { by: ann },
    })
    expect(await session.queries.people.get({ id: 'ann' })).toMatchObject({ kind: 'ok', value: ann })
    for await (const { value } of session.live.people.get({ id: 'ann' })) {
      expect(value).toEqual(ann)
      break
    }
    await expect.poll(() => requests).toEqual([ann])
    await expect.poll(() => called).toEqual([ann])
    for (const close of opened.splice(1).reverse()) await close()
    await cluster.stop('n1')
    expect(await holding(cluster.root, ...PLAIN)).toEqual([])
  })

  test('is opened again after a restart, and after another one from a snapshot', async () => {
    const node = await embeddedNode({ machines: [people], development: true, snapshotBytes: 4096 })
    opened.push(() => node.close())
    const session = await node.session('user:1')
    opened.push(() => session.close().then(() => undefined))
    for (let at = 0; at < 40; at += 1)
      expect((await session.machines.people.add({ ...ann, id: `p${at}` })).kind).toBe('ok')
    expect(node.node.status().snapshotIndex).toBeGreaterThan(0)
    await node.restart()
    for (const id of ['p0', 'p39'])
      expect(await session.queries.people.get({ id })).toMatchObject({ kind: 'ok', value: { ...ann, id } })
    expect(await holding(node.directory, ...PLAIN)).toEqual([])
  })

  test('is refused where its subject is no text that can be named, and where a client brings a sealed value', async () => {
    const { session } = await one()
    expect(await session.machines.people.add({ ...ann, id: '' })).toMatchObject({
      kind: 'notExecuted',
      code: 'VALIDATION_ERROR',
    })
    const sealed = joinSealed({
      subject: subjectDigest('ann'),
      keyId: new Uint8Array(8),
      nonce: new Uint8Array(12),
      cipher: new Uint8Array(4),
      tag: new Uint8Array(16),
    })
    const brought = await session.machines.people.note({ bytes: Uint8Array.from(sealed) })
    expect(brought).toMatchObject({ kind: 'notExecuted', code: 'VALIDATION_ERROR' })
    expect((await session.machines.people.note({ bytes: sealed.slice(1) })).kind).toBe('ok')
    // Else whoever has an old one could have a query that answers its input open it.
    expect(await session.queries.people.echo(Uint8Array.from(sealed))).toMatchObject({ code: 'VALIDATION_ERROR' })
    expect((await session.queries.people.echo(sealed.slice(1))).kind).toBe('ok')
  })
})

describe('a subject that was forgotten', () => {
  test('has no key in any file; its fields read as forgotten, those of others do not, and after a restart it is the same', async () => {
    const { cluster, session } = await one()
    await session.machines.people.add(ann)
    await session.machines.people.add({ ...ann, id: 'bob' })
    const { forgotten, bob } = {
      forgotten: { id: 'ann', phone: FORGOTTEN, address: FORGOTTEN },
      bob: { ...ann, id: 'bob' },
    }
    const first = await forgetSubject(cluster.endpoints, 'ann')
    expect(first.missing).toEqual([])
    const read = () => Promise.all(['ann', 'bob'].map((id) => session.queries.people.get({ id })))
    expect(await read()).toMatchObject([{ value: forgotten }, { value: bob }])
    const hash = cluster.running('n1').status().stateHash
    await cluster.stop('n1')
    expect(await holding(cluster.directoryOf('n1'), ...PLAIN)).toEqual([])
    expect(await holding(`${cluster.directoryOf('n1')}/group-0/keys`, subjectDigest('ann'))).toEqual([])
    expect(await holding(`${cluster.directoryOf('n1')}/group-0/keys`, subjectDigest('bob'))).toHaveLength(1)
    await cluster.start('n1')
    expect(await read()).toMatchObject([{ value: forgotten }, { value: bob }])
    expect(hash).toMatch(/^[0-9a-f]{16}$/)
    const again = await forgetSubject(cluster.endpoints, 'ann')
    expect([again.index, again.missing]).toEqual([first.index, []])
  })

  test('is taken in no more, while what was answered before is still answered to the same request', async () => {
    const { cluster, session } = await one()
    await session.machines.people.add(ann)
    await forgetSubject(cluster.endpoints, 'ann')
    const refused = { kind: 'notExecuted', code: 'SUBJECT_FORGOTTEN' }
    expect(await session.machines.people.add({ ...ann, phone: '+2547999' })).toMatchObject(refused)
    expect(await session.machines.people.add({ ...ann, id: 'cy' })).toMatchObject({ kind: 'ok' })
  })
})
