/*
 * Where the files of one Raft group lie below the data directory (storage.md §1). Paths are relative to the disk's root;
 * `directory` is that of the group.
 */

/** The directory of one Raft group: `group-0`. */
export function groupDirectory(group: number): string {
  return `group-${group}`
}

/** Where the segments of a group's log lie. */
export function logDirectory(directory: string): string {
  return `${directory}/log`
}

/** The file of the durable-end marker of a group's log. */
export function markerPath(directory: string): string {
  return `${directory}/marker`
}

/** The file of a group's applied trail. */
export function trailPath(directory: string): string {
  return `${directory}/applied`
}

/** Name of a segment's file by its sequence number, 1 … 2^32−1: at least eight digits, `00000001.wal`. */
export function segmentName(sequence: number): string {
  return `${String(sequence).padStart(8, '0')}.wal`
}

/** The sequence number in a file name, or null when it names no segment. */
export function parseSegmentName(name: string): number | null {
  const match = /^(\d{8,10})\.wal$/.exec(name)
  const sequence = match === null ? 0 : Number(match[1])
  return sequence >= 1 && sequence <= 0xffffffff && segmentName(sequence) === name ? sequence : null
}
