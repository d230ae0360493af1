/** What a file system has, as `statfs` tells it: bytes and inodes that this user may still take, of how many. */
export interface FileSystemRoom {
  readonly freeBytes: number
  readonly totalBytes: number
  readonly freeInodes: number
  /** 0: the file system has no table of inodes, and never too few. */
  readonly totalInodes: number
}

/** What there is too little of, how much is left, and from how much on there is enough. */
export interface Shortage {
  readonly of: 'bytes' | 'inodes'
  readonly left: number
  readonly enough: number
}

/**
 * Default of the reserve: by far more than what a node writes without its clients (a segment of 8 MiB made ahead, one
 * snapshot's slices at a time), for as long as somebody needs to make room.
 */
export const RESERVE_BYTES = 256 * 1024 * 1024
/** A small disk does not lose more of itself to it than that part. */
const RESERVE_PART = 10
/** Of inodes: a node has about 50 files, and LevelDB makes some and removes others. */
const RESERVE_INODES = 1024
const RESERVE_INODES_PART = 20
/** There is enough again once that many times the reserve is free, so that the two do not take turns. */
const ENOUGH_FACTOR = 1.25

/** The reserve on a disk of that size, where none was named. */
export function reserveBytesOf(totalBytes: number): number {
  return Math.min(RESERVE_BYTES, Math.floor(totalBytes / RESERVE_PART))
}

/**
 * Whether there is too little room: below the reserve, or, where it `was` short before, below what is enough. `reserveBytes`
 * null: the default; 0: bytes never are too few. Null: there is room.
 */
export function shortageOf(room: FileSystemRoom, reserveBytes: number | null, was: boolean): Shortage | null {
  const { freeBytes, totalBytes, freeInodes, totalInodes } = room
  const bytes = reserveBytes ?? reserveBytesOf(totalBytes)
  const enoughBytes = Math.ceil(bytes * ENOUGH_FACTOR)
  if (freeBytes < (was ? enoughBytes : bytes)) return { of: 'bytes', left: freeBytes, enough: enoughBytes }
  const inodes = Math.min(RESERVE_INODES, Math.floor(totalInodes / RESERVE_INODES_PART))
  const enoughInodes = Math.ceil(inodes * ENOUGH_FACTOR)
  if (freeInodes < (was ? enoughInodes : inodes)) return { of: 'inodes', left: freeInodes, enough: enoughInodes }
  return null
}
