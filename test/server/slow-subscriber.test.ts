import { EventEmitter } from 'node:events'
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import { unwrapFrames, wrapFrame } from '../../src/protocol/frame-message.ts'
import { FRAME_VERSION } from '../../src/protocol/frame.ts'
import { ByteWriter } from '../../src/protocol/bytes.ts'
import { DownFrameReader } from '../../src/protocol/down-frame.ts'
import { SUBSCRIBED_UNSENT_BYTES_MAX } from '../../src/protocol/limits.ts'
import { type UpMessage, writeUp } from '../../src/protocol/up-frame.ts'
import { ConnectStream } from '../../src/server/connect-stream.ts'
import { dictionary } from '../gateway/subscriptions/dictionary.ts'
import { attachedClient, command, openRequest, type World, worldOf } from '../gateway/recorder.ts'

const SECRET = Buffer.alloc(32, 9)
const VALUE_BYTES = 500_000
const WRITES = 30

/** A stream whose carrier says only when asked that something is on its way. */
class HeldCall extends EventEmitter {
  readonly changes: { readonly number: number; readonly compacted: boolean }[] = []
  /** Ids of the commands that were answered. */
  readonly answered: number[] = []
  /** Index of the session that was opened; 0: none yet. */
  session = 0
  private readonly reader = new DownFrameReader()
  private held: (() => void)[] = []

  sendMetadata(): void {}
  end(): void {}

  write(message: Buffer, written: () => void): boolean {
    this.held.push(written)
    for (const frame of unwrapFrames(message) ?? [])
      this.reader.read(frame, (down) => {
        if (down.kind === 'opened') this.session = down.index
        if (down.kind === 'response') this.answered.push(down.requestId)
        if (down.kind !== 'change') return
        const text = sessionCodec.decodeValue(Uint8Array.from(down.value))
        this.changes.push({ number: Number.parseInt(String(text), 10), compacted: down.compacted })
      })
    return true
  }

  say(message: UpMessage): void {
    const writer = new ByteWriter()
    writer.byte(FRAME_VERSION)
    writeUp(writer, message)
    this.emit('data', wrapFrame(writer.take()))
  }

  /** What was written is on its way, and what follows from that, too. */
  async release(): Promise<void> {
    for (await settled(); this.held.length > 0; await settled()) for (const written of this.held.splice(0)) written()
  }
}

/** What waits for the end of this turn is done. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A session is attached on the stream. */
async function attached(world: World, call: HeldCall): Promise<void> {
  const settle = async (): Promise<void> => {
    world.node.run()
    await call.release()
  }
  call.say(openRequest(world, { secret: SECRET }))
  await settle()
  const session = { group: 0, incarnation: 1, index: call.session }
  call.say({ kind: 'attach', channel: 1, ...session, secret: SECRET, replaces: 0, nonce: Buffer.alloc(16, 1) })
  await settle()
}

async function subscribed(world: World, call: HeldCall): Promise<void> {
  await attached(world, call)
  const asked = { machine: 't', query: 'value', input: sessionCodec.encodeValue('a') }
  call.say({ kind: 'subscribe', channel: 1, subscriptionId: 1, incarnation: 0, minIndex: 0, ...asked })
  world.node.run()
  await call.release()
}

test('a stream that reads slowly is not cut for its subscriptions: values are left out, and the last one comes', async () => {
  const world = worldOf({ machine: dictionary() })
  const writer = attachedClient(world)
  const call = new HeldCall()
  const ends: string[] = []
  const stream = call as unknown as ServerDuplexStream<Buffer, Buffer> // as far as it is used
  new ConnectStream(stream, { gateway: world.gateway, ended: (code) => ends.push(code) })
  await subscribed(world, call)
  for (let number = 1; number <= WRITES; number += 1) {
    writer.connection.receiveRequest(command(number, 'set', ['a', `${number} ${'x'.repeat(VALUE_BYTES)}`]))
    world.node.run()
    await settled()
  }
  await call.release()
  const [, ...told] = call.changes
  expect(ends).toEqual([])
  expect(told.length).toBeLessThan(SUBSCRIBED_UNSENT_BYTES_MAX / VALUE_BYTES + 4)
  expect(told.at(-1)).toEqual({ number: WRITES, compacted: true })
  expect(told.slice(0, -1)).toEqual(told.slice(0, -1).map((_each, at) => ({ number: at + 1, compacted: false })))
})

test('a stream that reads slowly gets its frames in order: a short one waits behind a long one that has no room', async () => {
  const world = worldOf()
  const call = new HeldCall()
  new ConnectStream(call as unknown as ServerDuplexStream<Buffer, Buffer>, { gateway: world.gateway, ended: () => {} })
  await attached(world, call)
  const long = 'x'.repeat(VALUE_BYTES)
  for (const [at, input] of [long, long, long, 'short', long, 'short'].entries()) {
    call.say(command(at + 1, 'echo', input))
    world.node.run()
    await settled()
  }
  await call.release()
  expect(call.answered).toEqual([1, 2, 3, 4, 5, 6])
})
