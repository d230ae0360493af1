import { describe, expect, test } from 'vitest'
import { joinSealed, sealedParts, subjectDigest } from '../../../src/codec/value/sealed.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import type { PersonalKeys, SealRefusal } from '../../../src/gateway/personal/personal-keys.ts'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import { isRetryable } from '../../../src/protocol/errors.ts'
import { attachedClient, command, type Heard, worldOf } from '../recorder.ts'

/** A sealed value with its content in clear: it is opened as soon as `here` is true. */
const sealed = joinSealed({
  subject: subjectDigest('ann'),
  keyId: new Uint8Array(8),
  nonce: new Uint8Array(12),
  cipher: sessionCodec.encodeValue('phone'),
  tag: new Uint8Array(16),
})

class FakeKeys implements PersonalKeys {
  here = false
  refusal: SealRefusal | null = null
  /** Waits that were begun. */
  waits = 0
  private waiting: ((changed: boolean) => void)[] = []

  seal(): Uint8Array | SealRefusal {
    return this.refusal ?? sealed
  }

  open(value: Value): Value | undefined {
    if (!(value instanceof Uint8Array)) return value
    const parts = sealedParts(value)
    if (parts === null) return value
    return this.here ? sessionCodec.decodeValue(parts.cipher) : undefined
  }

  whenKeysChange(done: (changed: boolean) => void): () => void {
    this.waiting.push(done)
    this.waits += 1
    return () => {
      this.waiting = this.waiting.filter((other) => other !== done)
    }
  }

  /** True: a key came, of whatever subject. False: the time of all waits is over. */
  change(changed: boolean): void {
    for (const done of changed ? [...this.waiting] : this.waiting.splice(0)) done(changed)
  }

  /** Waits that are under way. */
  get underWay(): number {
    return this.waiting.length
  }

  destroyed(): Promise<{ missing: readonly string[] }> {
    return Promise.resolve({ missing: [] })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function world() {
  const keys = new FakeKeys()
  const made = worldOf({
    gateway: {
      personal: { keys, holdsPersonal: (_machine, name) => name === 'echo' },
      parse: (_machine, name, bytes) =>
        name === 'echo' && keys.refusal !== null
          ? { ok: false, code: keys.refusal, message: 'not now', details: { issues: [] } }
          : { ok: true, input: bytes, version: 1 },
    },
  })
  return { keys, ...made, client: attachedClient(made) }
}

const told = (heard: readonly Heard[]): unknown[] =>
  heard.map(([name, , requestId, answer]) => {
    const { kind, code, outcome } = answer as { kind: string; code?: string; outcome?: { value: Value } }
    return [name, requestId, code ?? outcome?.value ?? kind]
  })

describe('a command whose subject has no key yet', () => {
  test('waits in its place with what is behind it, and goes on as the key comes', () => {
    const { keys, node, client } = world()
    keys.refusal = 'SUBJECT_KEY_PENDING'
    for (const id of [1, 2]) client.connection.receiveRequest(command(id, 'echo', id))
    client.connection.receiveRequest(command(3, 'emit', 0))
    node.run()
    expect(client.recorder.take()).toEqual([])
    keys.refusal = null
    keys.change(true)
    node.run()
    expect(told(client.recorder.take())).toEqual([
      ['responded', 1, 1],
      ['responded', 2, 2],
      ['responded', 3, 'outcome'],
    ])
  })

  test('is refused to be sent again where none comes in time; one of a forgotten subject for good', () => {
    const { keys, client } = world()
    keys.refusal = 'SUBJECT_KEY_PENDING'
    client.connection.receiveRequest(command(1, 'echo', 1))
    keys.change(false)
    expect(told(client.recorder.take())).toEqual([['responded', 1, 'SUBJECT_KEY_PENDING']])
    keys.refusal = 'SUBJECT_FORGOTTEN'
    client.connection.receiveRequest(command(1, 'echo', 1))
    expect(told(client.recorder.take())).toEqual([['responded', 1, 'SUBJECT_FORGOTTEN']])
    expect(['SUBJECT_KEY_PENDING', 'SUBJECT_FORGOTTEN'].map((code) => isRetryable('request', code))).toEqual([
      true,
      false,
    ])
  })
})

describe('a command that waits for its key', () => {
  test('is not refused as a key of another subject comes, and goes on as its own does', () => {
    const { keys, node, client } = world()
    keys.refusal = 'SUBJECT_KEY_PENDING'
    client.connection.receiveRequest(command(1, 'echo', 1))
    for (let times = 0; times < 3; times += 1) keys.change(true)
    expect(client.recorder.take()).toEqual([])
    expect(keys.waits).toBe(1)
    keys.refusal = null
    keys.change(true)
    node.run()
    expect(told(client.recorder.take())).toEqual([['responded', 1, 1]])
    expect(keys.underWay).toBe(0)
  })

  test('waits once, whatever of an earlier command lets it be tried again, and is refused when that wait is over', () => {
    const { keys, node, client } = world()
    client.connection.receiveRequest(command(1, 'emit', 0))
    client.connection.receiveRequest(command(2, 'emit', 0))
    keys.refusal = 'SUBJECT_KEY_PENDING'
    client.connection.receiveRequest(command(3, 'echo', 3))
    node.run()
    expect(told(client.recorder.take())).toEqual([
      ['responded', 1, 'outcome'],
      ['responded', 2, 'outcome'],
    ])
    expect(keys.waits).toBe(1)
    keys.change(false)
    expect(told(client.recorder.take())).toEqual([['responded', 3, 'SUBJECT_KEY_PENDING']])
  })
})

describe('what a connection hears', () => {
  test('has one deadline for the first that waits, and counts what waits as not sent', () => {
    const { keys, node, client } = world()
    client.connection.receiveRequest(command(1, 'echo', sealed))
    node.run()
    const { unsentBytes } = client.connection.sink
    expect(unsentBytes).toBeGreaterThan(sealed.length)
    for (let times = 0; times < 3; times += 1) keys.change(true)
    expect(keys.waits).toBe(1)
    expect(client.connection.sink.unsentBytes).toBe(unsentBytes)
    keys.here = true
    keys.change(true)
    expect(client.connection.sink.unsentBytes).toBe(0)
    expect(keys.underWay).toBe(0)
  })

  test('is opened as it is told, and waits in order while a key is missing', () => {
    const { keys, node, client } = world()
    client.connection.receiveRequest(command(1, 'emit', 0))
    client.connection.receiveRequest(command(2, 'echo', sealed))
    client.connection.receiveRequest(command(3, 'emit', 0))
    node.run()
    expect(told(client.recorder.take())).toEqual([['responded', 1, 'outcome']])
    keys.change(true)
    expect(client.recorder.take()).toEqual([])
    keys.here = true
    keys.change(true)
    expect(told(client.recorder.take())).toEqual([
      ['responded', 2, 'phone'],
      ['responded', 3, 'outcome'],
    ])
  })

  test('ends where the key does not come in time', () => {
    const { keys, node, client } = world()
    client.connection.receiveRequest(command(1, 'echo', sealed))
    node.run()
    keys.change(false)
    expect(client.recorder.take()).toMatchObject([['failed', 'SUBJECT_KEY_PENDING', expect.any(String)]])
  })
})

test('a copy of a command with personal fields is known by its id and names alone, also when it is sealed anew', () => {
  const { keys, node, client } = world()
  keys.here = true
  client.connection.receiveRequest(command(1, 'echo', sealed))
  node.run()
  const before = node.submitted.length
  // The subject was forgotten meanwhile: what was executed is still answered as that.
  keys.refusal = 'SUBJECT_FORGOTTEN'
  client.connection.receiveRequest(command(1, 'echo', 'other bytes'))
  expect(client.recorder.take()).toMatchObject([
    ['responded', 1, 1, { replayed: false }],
    ['responded', 1, 1, { replayed: true, outcome: { value: 'phone' } }],
  ])
  expect(node.submitted.length).toBe(before)
})
