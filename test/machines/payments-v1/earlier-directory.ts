import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { groupId, logIndex } from '../../../src/base/brand.ts'
import { forEachOffset } from '../../../src/codec/entry/batch.ts'
import type { Entry } from '../../../src/codec/entry/entry.ts'
import { payloadAt, recordLength, readHeader } from '../../../src/codec/entry/record.ts'
import type { LogStore } from '../../../src/node/ports/log-store.ts'
import { NodeDisk } from '../../../src/storage/disk/node-disk.ts'
import { openLog } from '../../../src/storage/opening/open-log.ts'
import { systemClock } from '../../../src/node/system-clock.ts'

/** What queries of the build that wrote the directory answered at its end. */
export interface EarlierValues {
  readonly appliedIndex: number
  readonly hash: string
  readonly totals: object
  readonly bookings: readonly { readonly id: string; readonly [field: string]: unknown }[]
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))

/** Values of the directory's last entry. */
export const EARLIER = read('values.json') as EarlierValues

/** A directory that the build before version 2 wrote: bookings in every state, orphans, early callbacks, refunds. */
export function unpackEarlier(path: string): void {
  for (const [name, packed] of Object.entries(read('directory.json') as { readonly [name: string]: string })) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), gunzipSync(Buffer.from(packed, 'base64')))
  }
}

/** Its entries, each with the bytes of its record. */
export async function entriesOf(path: string): Promise<{ readonly entry: Entry; readonly bytes: number }[]> {
  const { store, last } = await open(path)
  const records = await new Promise<Uint8Array>((resolve, reject) => {
    store.read({ first: logIndex(1), last, maxBytes: 1 << 20 }, (fault, found) => {
      if (found === null) reject(new Error(fault?.message))
      else resolve(found.records)
    })
  })
  await new Promise<void>((resolve) => store.close(resolve))
  const entries: { entry: Entry; bytes: number }[] = []
  forEachOffset(records, (offset) => {
    const { kind, index, term, lease, now } = readHeader(records, offset)
    const payload = payloadAt(records, offset)
    entries.push({ entry: { kind, index, term, lease, now, payload }, bytes: recordLength(records, offset) })
  })
  return entries
}

function open(path: string): Promise<{ readonly store: LogStore; readonly last: ReturnType<typeof logIndex> }> {
  const listener = { onPersisted: () => undefined, onFault: () => undefined }
  const options = { disk: new NodeDisk(path), directory: '.', group: groupId(0), snapshot: null, clock: systemClock }
  return new Promise((resolve, reject) => {
    openLog({ ...options, listener }, (fault, opened) => {
      if (opened === null) reject(new Error(fault?.message))
      else resolve({ store: opened.store, last: opened.recovered.lastIndex })
    })
  })
}
