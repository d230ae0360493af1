import { afterEach, expect, test } from 'vitest'
import { encodeValue } from '../../src/codec/value/encode.ts'
import { requestHash } from '../../src/codec/value/running-hash.ts'
import { joinSealed, mayHoldSealed, sealedParts, subjectDigest } from '../../src/codec/value/sealed.ts'
import { openSealed, sealValue } from '../../src/erasure/aead.ts'
import { decodeSlot, encodeHead, encodeKey } from '../../src/erasure/key-record.ts'
import { embeddedNode } from '../../src/testing/embedded-node.ts'
import { holding, people } from './people.ts'

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const subject = subjectDigest('ann')
const key = { subject, keyId: new Uint8Array(8).fill(7), key: new Uint8Array(32).fill(9) }

test('a digest of a subject, a slot of a key and the head of a file have the bytes that docs/format.md states', () => {
  expect(hex(subject)).toBe('dafbc0ea4f4f377c22f7618f86d16d638dc708fe8b481132ab57ebcf913eb91a')
  expect(hex(encodeKey(key))).toBe(
    '484b5375016178040100000000000000dafbc0ea4f4f377c22f7618f86d16d638dc708fe8b481132ab57ebcf913eb91a0707070707070707090909090909090909090909090909090909090909090909090909090909090900000000000000000000000000000000000000000000000000000000000000000000000000000000',
  )
  expect(hex(encodeHead())).toBe(
    '484b6579a85394e6010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000',
  )
  expect([decodeSlot(encodeKey(key)), decodeSlot(encodeHead()), decodeSlot(new Uint8Array(128))]).toEqual([
    key,
    'head',
    'empty',
  ])
})

test('a slot with any bit changed is damaged', () => {
  for (let bit = 0; bit < 128 * 8; bit += 1) {
    const slot = encodeKey(key)
    slot[bit >> 3] = (slot[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect([bit, decodeSlot(slot)]).toEqual([bit, 'damaged'])
  }
})

test('a sealed value has the bytes that docs/format.md states, and opens', () => {
  const value = { street: 'Koinange Street', house: 7 }
  const sealed = Uint8Array.from(
    Buffer.from(
      'ff48467365616c01dafbc0ea4f4f377c22f7618f86d16d638dc708fe8b481132ab57ebcf913eb91a07070707070707077fbd7c1d7f633ca20ca7d0d17341554fa1cb25f96558bf6033ddcbf61fd3d6a53f936d5fe590ce0353c1191a1978b27c9c23402cf8186d13a94636',
      'hex',
    ),
  )
  const parts = sealedParts(sealed)
  if (parts === null) throw new Error('it is one')
  expect(openSealed(sealed, parts, key)).toEqual(value)
  expect(hex(joinSealed(parts))).toBe(hex(sealed))
  expect([mayHoldSealed(encodeValue({ a: [sealed] })), mayHoldSealed(encodeValue({ a: [sealed.slice(1)] }))]).toEqual([
    true,
    false,
  ])
})

test('equal values are sealed to different bytes; one that was changed anywhere, or moved to another subject, does not open', () => {
  const [one, other] = [sealValue('x', key), sealValue('x', key)]
  expect(hex(one)).not.toBe(hex(other))
  for (let at = 8; at < one.length; at += 1) {
    const changed = Uint8Array.from(one)
    changed[at] = (changed[at] ?? 0) ^ 1
    const parts = sealedParts(changed)
    expect([at, parts === null ? null : openSealed(changed, parts, key)]).toEqual([at, undefined])
  }
})

test('the hash of a request in the log says nothing of its personal fields', async () => {
  const node = await embeddedNode({ machines: [people], development: false })
  opened.push(() => node.close())
  const session = await node.session('user:1')
  const ann = { id: 'ann', phone: '+254700000001' }
  const note = { bytes: Uint8Array.of(1, 2, 3) }
  expect([(await session.machines.people.add(ann)).kind, (await session.machines.people.note(note)).kind]).toEqual([
    'ok',
    'ok',
  ])
  await session.close()
  await node.restart()
  const stored = (command: string, input: object): Promise<string[]> => {
    const { high, low } = requestHash('people', command, encodeValue(input as never))
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32BE(high, 0)
    bytes.writeUInt32BE(low, 4)
    return holding(node.directory, bytes)
  }
  expect((await stored('note', note)).length).toBeGreaterThan(0)
  expect(await stored('add', ann)).toEqual([])
})
