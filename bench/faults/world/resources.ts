import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { attempt } from './run.ts'

/** Begins the names of directories of runs. */
const PREFIX = 'faults-'
/** In a run's directory: what it has made beyond files, a line each, the run itself first. */
const LIST = 'resources'
const TRIES_MAX = 50
const AGAIN_MS = 100

/** Something that outlives the process that made it. `started` tells a process from a later one of the same number. */
export type Resource =
  | { readonly kind: 'owner' | 'process'; readonly pid: number; readonly started: string }
  | { readonly kind: 'mount'; readonly path: string }
  | { readonly kind: 'namespace' | 'link'; readonly name: string }
  | { readonly kind: 'group'; readonly path: string }

/** What one run makes: written down before it is made, so that a later run can remove what this one left. */
export class Resources {
  readonly directory: string

  private constructor(directory: string) {
    this.directory = directory
  }

  /** A new directory below `parent` for this run. */
  static claim(parent: string): Resources {
    mkdirSync(parent, { recursive: true })
    const resources = new Resources(mkdtempSync(join(parent, PREFIX)))
    resources.note({ kind: 'owner', pid: process.pid, started: startedAt(process.pid) ?? '' })
    return resources
  }

  note(resource: Resource): void {
    appendFileSync(join(this.directory, LIST), `${JSON.stringify(resource)}\n`)
  }

  noteProcess(pid: number): void {
    const started = startedAt(pid)
    if (started !== null) this.note({ kind: 'process', pid, started })
  }

  /** Ends, unmounts and removes all of it. */
  release(): Promise<void> {
    return releaseBelow(this.directory)
  }
}

/** Removes what runs below `parent` have left that are no more; gives their directories. */
export async function removeLeftovers(parent: string): Promise<string[]> {
  const found = existsSync(parent) ? readdirSync(parent).filter((name) => name.startsWith(PREFIX)) : []
  const left = found.map((name) => join(parent, name)).filter((directory) => !isOwned(directory))
  for (const directory of left) await releaseBelow(directory)
  return left
}

/** When a process began, in the kernel's ticks; null: there is none, or this system does not tell. */
export function startedAt(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Behind the name, which may hold spaces and brackets, the state is field 3, and the start field 22.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}

function isOwned(directory: string): boolean {
  return resourcesIn(directory).some((resource) => resource.kind === 'owner' && isRunning(resource))
}

async function releaseBelow(directory: string): Promise<void> {
  const all = resourcesIn(directory).toReversed()
  // A frozen file system would hold whoever is to end.
  for (const resource of all) if (resource.kind === 'mount') await attempt('fsfreeze', ['-u', resource.path])
  for (const resource of all) if (resource.kind === 'process') await end(resource)
  for (const resource of all) {
    if (resource.kind === 'mount') await unmount(resource.path)
    if (resource.kind === 'link') await attempt('ip', ['link', 'del', resource.name])
    if (resource.kind === 'namespace') await attempt('ip', ['netns', 'del', resource.name])
    if (resource.kind === 'group') await rmdir(resource.path).catch(() => undefined)
  }
  if (mountsBelow(directory).length > 0) throw new Error(`something is still mounted below ${directory}`)
  rmSync(directory, { recursive: true, force: true })
}

/** Unmounts it if it is mounted; whoever still uses it keeps it to himself. */
export async function unmount(path: string): Promise<void> {
  for (let tries = 0; mountsBelow(path).length > 0; tries += 1) {
    const lazily = tries >= TRIES_MAX ? ['-l'] : []
    if (!(await attempt('umount', [...lazily, path]))) await pause(AGAIN_MS)
    if (tries > TRIES_MAX) return
  }
}

async function end(resource: Extract<Resource, { readonly kind: 'owner' | 'process' }>): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX && isRunning(resource); tries += 1) {
    try {
      process.kill(resource.pid, 'SIGKILL')
    } catch {
      return
    }
    await pause(AGAIN_MS)
  }
}

function isRunning({ pid, started }: { readonly pid: number; readonly started: string }): boolean {
  return startedAt(pid) === started
}

function resourcesIn(directory: string): Resource[] {
  try {
    const lines = readFileSync(join(directory, LIST), 'utf8').split('\n')
    // The last line of a run that was killed may be half of one.
    return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as Resource) // As `note` writes it.
  } catch {
    return []
  }
}

function mountsBelow(path: string): string[] {
  try {
    const mounted = readFileSync('/proc/mounts', 'utf8').split('\n')
    return mounted.map((line) => line.split(' ')[1] ?? '').filter((at) => at === path || at.startsWith(`${path}/`))
  } catch {
    return []
  }
}
