import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageFacts } from '../../src/cli/package-root.ts'
import { ByteWriter } from '../../src/protocol/bytes.ts'
import { DownFrameReader, writeDown } from '../../src/protocol/down-frame.ts'
import type { DownMessage } from '../../src/protocol/down-message.ts'
import { FRAME_VERSION } from '../../src/protocol/frame.ts'
import { UpFrameReader, type UpMessage, writeUp } from '../../src/protocol/up-frame.ts'

interface Recorded {
  readonly hex: string
  readonly messages: unknown
}

const PYTHON = join(packageFacts().root, 'examples/python')
const FILE = join(packageFacts().root, 'examples/recorded-frames.json')
const recorded = JSON.parse(readFileSync(FILE, 'utf8')) as { readonly up: Recorded[]; readonly down: Recorded[] }

/** Bytes are recorded as `{"hex": …}`. */
function withBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBytes)
  if (value === null || typeof value !== 'object') return value
  if ('hex' in value) return Buffer.from(String(value.hex), 'hex')
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withBytes(part)]))
}

function framed<Message>(messages: readonly Message[], write: (writer: ByteWriter, message: Message) => void): string {
  const writer = new ByteWriter(256)
  writer.byte(FRAME_VERSION)
  for (const message of messages) write(writer, message)
  return writer.take().toString('hex')
}

test('clients in other languages are checked against frames that this one reads and writes', () => {
  for (const { hex, messages } of recorded.up) {
    const read: UpMessage[] = []
    expect(new UpFrameReader().read(Buffer.from(hex, 'hex'), (message) => void read.push(message))).toBeNull()
    expect(withBytes(messages)).toEqual(read)
    expect(framed(read, writeUp)).toBe(hex)
  }
  for (const { hex, messages } of recorded.down) {
    const read: DownMessage[] = []
    expect(new DownFrameReader().read(Buffer.from(hex, 'hex'), (message) => void read.push(message))).toBeNull()
    expect(withBytes(messages)).toEqual(read)
    expect(framed(read, writeDown)).toBe(hex)
  }
})

test.skipIf(spawnSync('python3', ['--version']).status !== 0)(
  'the frames of the client in Python agree with them',
  () => {
    const { status, stdout, stderr } = spawnSync('python3', [join(PYTHON, 'check_frames.py'), FILE], {
      encoding: 'utf8',
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '70 frames up and 70 down agree\n', stderr: '' })
  },
)
