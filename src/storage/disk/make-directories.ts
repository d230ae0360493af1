import fs from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory and those above it that are missing; `first` is the uppermost one made, undefined when all were there.
 * By hand, because `mkdir` of Node.js with `recursive` tries for ever where a parent is there and nothing can be made in it
 * (`/proc/x` answers ENOENT).
 */
export function makeDirectories(
  path: string,
  done: (error: NodeJS.ErrnoException | null, first: string | undefined) => void,
): void {
  makeOne(path, (error, made) => {
    if (error === null) return done(null, made ? path : undefined)
    const parent = dirname(path)
    if (error.code !== 'ENOENT' || parent === path) return done(error, undefined)
    makeDirectories(parent, (failed, first) => {
      if (failed !== null) return done(failed, undefined)
      makeOne(path, (again, madeNow) => done(again, first ?? (madeNow ? path : undefined)))
    })
  })
}

/** False when there is a directory already, whatever `mkdir` says of it: a read-only file system has other words. */
function makeOne(path: string, done: (error: NodeJS.ErrnoException | null, made: boolean) => void): void {
  fs.mkdir(path, (error) => {
    if (error === null || error.code === 'ENOENT') return done(error, error === null)
    fs.stat(path, (unknown, stats) => done(unknown === null && stats.isDirectory() ? null : error, false))
  })
}
