import { crc32 } from '../codec/bytes/crc.ts'
import { readUint32, writeUint32 } from '../codec/bytes/integers.ts'
import { KEY_ID_BYTES, SUBJECT_BYTES } from '../codec/value/sealed.ts'

/** Bytes of a slot of a key file: four of them in a sector, so that one is written as a whole or not at all. */
export const SLOT_BYTES = 128
/** Slots of a file, 128 KiB; the first one says what the file is. */
export const SLOTS = 1024
/** Bytes of a key: AES-256. */
export const KEY_BYTES = 32

const HEAD_MAGIC = 0x484b6579 // "HKey"
const KEY_MAGIC = 0x484b5375 // "HKSu"
const FORMAT = 1
const AT = { checksum: 4, format: 8, subject: 16, keyId: 48, key: 56 } as const

/** A key of a subject. A subject has more than one where two leaders made one each: every one of them opens what it sealed. */
export interface SubjectKey {
  /** Digest of the subject's name, 32 bytes. */
  readonly subject: Uint8Array
  /** Drawn with the key, 8 bytes: sealed values name it. */
  readonly keyId: Uint8Array
  readonly key: Uint8Array
}

/** The first slot of a file. */
export function encodeHead(): Uint8Array {
  return checked(HEAD_MAGIC, new Uint8Array(SLOT_BYTES))
}

/** The slot of a key (docs/format.md). */
export function encodeKey({ subject, keyId, key }: SubjectKey): Uint8Array {
  const slot = new Uint8Array(SLOT_BYTES)
  slot.set(subject, AT.subject)
  slot.set(keyId, AT.keyId)
  slot.set(key, AT.key)
  return checked(KEY_MAGIC, slot)
}

/** What a slot holds: a key of its own memory, nothing, or what cannot be read. */
export function decodeSlot(slot: Uint8Array): SubjectKey | 'empty' | 'head' | 'damaged' {
  if (slot.every((byte) => byte === 0)) return 'empty'
  const magic = readUint32(slot, 0)
  const intact = readUint32(slot, AT.checksum) === crc32(slot, AT.format, SLOT_BYTES, 0) && slot[AT.format] === FORMAT
  if (!intact || (magic !== HEAD_MAGIC && magic !== KEY_MAGIC)) return 'damaged'
  if (magic === HEAD_MAGIC) return 'head'
  return {
    subject: slot.slice(AT.subject, AT.subject + SUBJECT_BYTES),
    keyId: slot.slice(AT.keyId, AT.keyId + KEY_ID_BYTES),
    key: slot.slice(AT.key, AT.key + KEY_BYTES),
  }
}

function checked(magic: number, slot: Uint8Array): Uint8Array {
  writeUint32(slot, 0, magic)
  slot[AT.format] = FORMAT
  writeUint32(slot, AT.checksum, crc32(slot, AT.format, SLOT_BYTES, 0))
  return slot
}
