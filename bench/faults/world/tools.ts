import { readFileSync } from 'node:fs'
import { program, Skipped } from '../../peers/programs.ts'
import { run } from './run.ts'

/** What faults need of the machine, beside processes. */
export const TOOLS = ['namespaces', 'iptables', 'tc', 'xfs', 'strace', 'faketime', 'memory cgroup'] as const
export type Tool = (typeof TOOLS)[number]

/** Version 1 of control groups, as Debian mounts it beside version 2. */
export const MEMORY_GROUPS = '/sys/fs/cgroup/memory'
const FAKETIME = ['/usr/lib/x86_64-linux-gnu/faketime', '/usr/lib/aarch64-linux-gnu/faketime', '/usr/lib/faketime']
const SBIN = ['/usr/sbin', '/sbin']

/** Why a tool cannot be used here, by tool; one that can be is absent. */
export type MissingTools = ReadonlyMap<Tool, string>

/** Looks at the machine; tries what cannot be seen otherwise. */
export async function missingTools(): Promise<MissingTools> {
  const missing = new Map<Tool, string>()
  for (const tool of TOOLS) {
    const reason = await reasonWithout(tool)
    if (reason !== null) missing.set(tool, reason)
  }
  return missing
}

/** The library that fakes the clock; null where it is not installed. */
export function faketimeLibrary(): string | null {
  for (const folder of FAKETIME) {
    const path = `${folder}/libfaketime.so.1`
    if (readable(path)) return path
  }
  return null
}

async function reasonWithout(tool: Tool): Promise<string | null> {
  if (process.platform !== 'linux') return 'this is not Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  switch (tool) {
    case 'namespaces':
      return (await without(['ip', 'nsenter'], 'iproute2 util-linux')) ?? (await refused('ip', ['netns', 'list']))
    case 'iptables':
      return (await without(['iptables'], 'iptables')) ?? (await refused('iptables', ['-L', '-n']))
    case 'tc':
      return without(['tc'], 'iproute2')
    case 'xfs':
      if (!/\bxfs$/m.test(textOf('/proc/filesystems'))) return 'the kernel has no XFS'
      return without(['mkfs.xfs', 'xfs_io', 'mount', 'umount', 'fsfreeze', 'fallocate'], 'xfsprogs util-linux')
    case 'strace':
      return without(['strace'], 'strace')
    case 'faketime':
      return faketimeLibrary() === null ? 'libfaketime is not installed (Debian: apt-get install libfaketime)' : null
    case 'memory cgroup':
      return readable(`${MEMORY_GROUPS}/cgroup.procs`) ? null : 'control groups of version 1 are not mounted'
    default:
      throw new Error(`there is no tool ${String(tool satisfies never)}`)
  }
}

async function without(programs: readonly string[], packages: string): Promise<string | null> {
  try {
    for (const name of programs) program(name, { folders: SBIN, install: `Debian: apt-get install ${packages}` })
    return null
  } catch (error) {
    if (error instanceof Skipped) return error.message
    throw error
  }
}

async function refused(name: string, parameters: readonly string[]): Promise<string | null> {
  return run(name, parameters).then(
    () => null,
    (error: unknown) => String(error),
  )
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function readable(path: string): boolean {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}
