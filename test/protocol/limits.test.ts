import { describe, expect, test } from 'vitest'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { fitsName, isPrincipal } from '../../src/codec/entry/names.ts'
import { checkOpen } from '../../src/gateway/checks.ts'
import { ByteWriter } from '../../src/protocol/bytes.ts'
import { FRAME_VERSION } from '../../src/protocol/frame.ts'
import {
  CAPABILITY_BYTES_MAX,
  CLIENT_NAME_CHARS_MAX,
  NAME_BYTES_MAX,
  ROLES_MAX,
  SECRET_BYTES_MAX,
} from '../../src/protocol/limits.ts'
import { type OpenMessage, UpFrameReader, type UpMessage, writeUp } from '../../src/protocol/up-frame.ts'

const LONGEST: OpenMessage = {
  kind: 'open',
  channel: 1,
  secret: Buffer.alloc(SECRET_BYTES_MAX),
  principal: `${'p'.repeat(32)}:${'i'.repeat(128)}`,
  roles: Array.from({ length: ROLES_MAX }, () => 'r'.repeat(NAME_BYTES_MAX)),
  capabilities: Buffer.alloc(CAPABILITY_BYTES_MAX),
  name: '\uffff'.repeat(CLIENT_NAME_CHARS_MAX),
  timeoutMs: 30_000,
  validUntil: 2,
  ordered: true,
}

function throughFrame(message: UpMessage): UpMessage | string | null {
  const writer = new ByteWriter()
  writer.byte(FRAME_VERSION)
  writeUp(writer, message)
  let read: UpMessage | null = null
  return new UpFrameReader().read(writer.take(), (each) => (read = each)) ?? read
}

describe('one table of bounds', () => {
  test('an open at every bound passes frame, gateway and log alike', () => {
    expect(throughFrame(LONGEST)).toEqual(LONGEST)
    expect(checkOpen(LONGEST, 1)).toBeNull()
    const { principal, roles, name, timeoutMs, validUntil, ordered } = LONGEST
    const payload = { principal, roles, name, timeoutMs, validUntil, ordered, capabilities: {} }
    expect(() => encodePayload('OpenSession', { ...payload, secretHash: new Uint8Array(32) })).not.toThrow()
  })

  test.each<[string, Partial<OpenMessage>]>([
    ['a role too many', { roles: [...LONGEST.roles, 'r'] }],
    ['a role that is too long', { roles: ['r'.repeat(NAME_BYTES_MAX + 1)] }],
    ['a name that is too long', { name: 'n'.repeat(CLIENT_NAME_CHARS_MAX + 1) }],
    ['a principal that is too long', { principal: `p:${'i'.repeat(129)}` }],
  ])('%s is refused by the gateway, as its frame may hold it', (_what, change) => {
    expect(checkOpen({ ...LONGEST, ...change }, 1)).toMatchObject({ code: expect.stringMatching(/INVALID/) })
  })

  test('a name is counted in bytes of UTF-8', () => {
    for (const text of ['a'.repeat(128), 'é'.repeat(64), '\uffff'.repeat(42), '😀'.repeat(32), ''])
      expect([text, fitsName(text), Buffer.byteLength(text) <= NAME_BYTES_MAX]).toEqual([text, true, true])
    for (const text of ['a'.repeat(129), `${'é'.repeat(64)}a`, '\uffff'.repeat(43), `${'😀'.repeat(32)}a`])
      expect([text, fitsName(text), Buffer.byteLength(text) <= NAME_BYTES_MAX]).toEqual([text, false, false])
  })

  test('a principal is kind:id, and the system’s cannot be claimed', () => {
    expect(['user:1', 'system-x:1', 'a:b:c'].map(isPrincipal)).toEqual([true, true, true])
    expect(['user', 'system:1', 'system', 'User:1', 'user:', '', 'user:a b'].some(isPrincipal)).toBe(false)
  })
})
