import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MessageReader, prefixed } from '../../src/grpc/message-reader.ts'
import { sample } from '../effort.ts'

test('messages are read whole and in order, however their bytes are cut', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 })
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (written, cuts) => {
      const bytes = Buffer.concat(written.map((message) => prefixed(Buffer.from(message))))
      const read: Buffer[] = []
      const reader = new MessageReader({ messageBytesMax: 40 }, (message) => read.push(message))
      for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
        const length = cuts[cut % cuts.length] ?? 1
        expect(reader.read(bytes.subarray(at, at + length))).toBe(null)
        at += length
      }
      expect(read.map((message) => [...message])).toEqual(written.map((message) => [...message]))
    }),
    { numRuns: sample(200) },
  )
})

test.each([
  ['too large', prefixed(Buffer.alloc(41)), 'a message of 41 bytes exceeds 40'],
  ['compressed', Buffer.from([1, 0, 0, 0, 0]), 'the message is compressed, which was not offered'],
])('a message that is %s is refused before its bytes are kept', (_what, bytes, message) => {
  const reader = new MessageReader({ messageBytesMax: 40 }, () => expect.unreachable())
  expect(reader.read(bytes)).toMatchObject({ message })
})
