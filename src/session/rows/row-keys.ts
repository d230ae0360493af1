import type { SessionCodec } from '../../codec/session-codec.ts'

/** Families of rows under `session/`; the text after the slash is made of key parts. */
export const FAMILY = {
  meta: 'session/meta',
  limits: 'session/limits',
  version: 'session/version/',
  client: 'session/client/',
  response: 'session/response/',
  outbox: 'session/outbox/',
  tombstone: 'session/tombstone/',
  timer: 'session/timer/',
  task: 'session/task/',
  principal: 'session/principal/',
  mailbox: 'session/mailbox/',
  once: 'session/once/',
  audit: 'session/audit/',
  alert: 'session/alert/',
  deadLetter: 'session/dead/',
  wait: 'session/wait/',
  signal: 'session/signal/',
  schedule: 'session/schedule/',
  forgotten: 'session/forgotten/',
} as const

/** Prefix of every row that belongs to user machines. */
export const USER_PREFIX = 'user/'

/** Families whose rows their client session holds, not the dictionary (SessionPage). */
export const HELD_FAMILIES: readonly string[] = [FAMILY.client, FAMILY.response, FAMILY.outbox]

/** A range without a limit could walk a million rows in one entry. */
export function assertLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 0) throw new TypeError(`range needs a limit ≥ 0, not ${limit}`)
}

/** A key of a user machine's row, which snapshots store as bytes. */
export function assertBinary(key: string): void {
  for (let at = 0; at < key.length; at += 1) {
    if (key.charCodeAt(at) > 0xff) throw new TypeError('a state key is a binary string: build it from key parts')
  }
}

/** Builds row keys from order-preserving key parts. */
export class RowKeys {
  private readonly codec: SessionCodec

  constructor(codec: SessionCodec) {
    this.codec = codec
  }

  /** `family` followed by the encoded parts. */
  row(family: string, ...parts: readonly (string | number)[]): string {
    let key = family
    for (const part of parts) key += this.codec.keyPart(part)
    return key
  }

  /** `prefix` followed by one encoded part: a key of many that begin alike. */
  under(prefix: string, part: string | number): string {
    return prefix + this.codec.keyPart(part)
  }

  /** The parts of a key after its family. */
  parts(family: string, key: string): (string | number)[] {
    return this.codec.keyParts(key.slice(family.length))
  }
}
