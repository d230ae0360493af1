import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import { sample } from '../effort.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('SHA-256', () => {
  // The examples that NIST gives for FIPS 180-4, and lengths on both sides of a block.
  test.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
    ['a'.repeat(55), '9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318'],
    ['a'.repeat(64), 'ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb'],
    ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ])('golden digests: they stand in logs and snapshots', (text, digest) => {
    expect(hex(sessionCodec.sha256(new TextEncoder().encode(text)))).toBe(digest)
    expect(sessionCodec.sha256Hex(text)).toBe(digest)
  })

  test('the digest is a value: 32 bytes of their own in a plain Uint8Array', () => {
    const digest = sessionCodec.sha256(Uint8Array.of(1, 2, 3))
    expect(Object.getPrototypeOf(digest)).toBe(Uint8Array.prototype)
    expect([digest.byteOffset, digest.length, digest.buffer.byteLength]).toEqual([0, 32, 32])
    expect(sessionCodec.decodeValue(sessionCodec.encodeValue(digest))).toEqual(digest)
  })

  test('bytes count, and not what they lie in', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(7), (bytes, offset) => {
        const within = new Uint8Array(bytes.length + 16)
        within.set(bytes, offset)
        const view = within.subarray(offset, offset + bytes.length)
        expect(sessionCodec.sha256(view)).toEqual(sessionCodec.sha256(bytes))
        expect(sessionCodec.sha256(Buffer.from(view))).toEqual(sessionCodec.sha256(bytes))
      }),
      { numRuns: sample(100) },
    )
  })

  test('that of a text is that of its UTF-8 in hex; a lone surrogate counts as U+FFFD', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(sessionCodec.sha256Hex(text)).toBe(hex(sessionCodec.sha256(new TextEncoder().encode(text))))
      }),
    )
    expect(sessionCodec.sha256Hex('\ud800')).toBe(sessionCodec.sha256Hex('\ufffd'))
    expect(sessionCodec.sha256Hex('\ufffd')).toBe(hex(sessionCodec.sha256(Uint8Array.of(0xef, 0xbf, 0xbd))))
  })
})
