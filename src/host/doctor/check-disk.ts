import { existsSync, readFileSync } from 'node:fs'
import { open, rm, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { shortageOf } from '../../storage/disk/room-marks.ts'
import { type Finding, well, wrong } from './finding.ts'

/** Writes that are timed, and the bytes of each: a node's smallest write is a sector, a busy one's some pages. */
const SYNCS = 200
const WRITE_BYTES = 4096
/** A sync that takes longer holds up heartbeats of a follower: a third of the shortest election timeout. */
const SLOW_MS = 100
/** Below it a node runs out with its segments, its LevelDB and a few hundred clients. */
const DESCRIPTORS_LEAST = 1024

/** Where the directory lies, or will: the nearest one that is there. */
function placeOf(data: string): string {
  let place = resolve(data)
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place)
  return place
}

/** Percentiles of write and fdatasync there, in a file that is removed again; wrong from a p99 of `slowMs` on. */
export async function checkSyncs(data: string, slowMs = SLOW_MS): Promise<Finding> {
  const path = join(placeOf(data), `doctor-${process.pid}.tmp`)
  const times: number[] = []
  try {
    const file = await open(path, 'wx')
    try {
      // As a node's segments: zeros first, so that a write changes no metadata.
      await file.writeFile(Buffer.alloc(SYNCS * WRITE_BYTES))
      await file.sync()
      for (let at = 0; at < SYNCS; at += 1) {
        const begun = performance.now()
        await file.write(Buffer.alloc(WRITE_BYTES, 1), 0, WRITE_BYTES, at * WRITE_BYTES)
        await file.datasync()
        times.push(performance.now() - begun)
      }
    } finally {
      await file.close()
      await rm(path, { force: true })
    }
  } catch (error) {
    const message = `${placeOf(data)} cannot be written: ${error instanceof Error ? error.message : String(error)}`
    return wrong('disk syncs', { code: 'UNWRITABLE', message }, `ls -ld ${placeOf(data)}`)
  }
  times.sort((left, right) => left - right)
  const at = (share: number): string => (times[Math.ceil(share * times.length) - 1] ?? 0).toFixed(2)
  const sentence = `write and fdatasync of 4 KiB take ${at(0.5)} ms (p50), ${at(0.99)} ms (p99), ${at(1)} ms at most`
  if (Number(at(0.99)) < slowMs) return well('disk syncs', sentence)
  const message = `${sentence}: from ${slowMs} ms on followers are late, and leaders lost`
  return wrong('disk syncs', { code: 'SLOW_DISK', message }, 'iostat -x 1 5')
}

/** Bytes and inodes that are left. */
export async function checkRoom(data: string): Promise<Finding> {
  const place = placeOf(data)
  const { bavail, bsize, blocks, ffree, files } = await statfs(place)
  const room = { freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeInodes: ffree, totalInodes: files }
  const shortage = shortageOf(room, null, false)
  const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`
  const sentence = `${gib(room.freeBytes)} of ${gib(room.totalBytes)} free, ${ffree} of ${files} inodes`
  if (shortage === null) return well('disk room', sentence)
  const message = `${place} has too few ${shortage.of}: ${shortage.left} are left. ${sentence}`
  return wrong(
    'disk room',
    { code: 'DISK_FULL', message },
    shortage.of === 'inodes' ? `df -i ${place}` : `df -h ${place}`,
  )
}

/** How many files a process that is started from here may open. */
export function checkDescriptors(limits = '/proc/self/limits'): Finding {
  const text = existsSync(limits) ? readFileSync(limits, 'utf8') : ''
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(text)?.[1]
  if (soft === undefined) return well('descriptors', 'the system does not tell how many files may be open')
  const sentence = `a process may open ${soft} files`
  if (soft === 'unlimited' || Number(soft) >= DESCRIPTORS_LEAST) return well('descriptors', sentence)
  const message = `${sentence}, a node needs ${DESCRIPTORS_LEAST}`
  return wrong('descriptors', { code: 'FEW_DESCRIPTORS', message }, `ulimit -n ${DESCRIPTORS_LEAST * 8}`)
}
