import { createHash } from 'node:crypto'
import { existsSync, type FSWatcher, readFileSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { moduleFiles } from './module-files.ts'

/** An editor writes a file in several steps, and several files one after the other. */
const QUIET_MS = 50

/**
 * Calls `changed` whenever the content of the module, or of what it imports locally, has become another one, until the
 * signal is aborted. One call at a time: what changes meanwhile is told after it.
 * @param known `moduleContent` from before the module was loaded: what has changed since is told too.
 */
export function watchModule(
  module: string,
  known: string,
  { changed, signal }: { readonly changed: () => Promise<void>; readonly signal: AbortSignal },
): void {
  let watchers: readonly FSWatcher[] = []
  let seen = known
  let timer: NodeJS.Timeout | undefined
  let busy = false
  const disarm = (): void => {
    for (const watcher of watchers) watcher.close()
    watchers = []
  }
  const arm = (): void => {
    disarm()
    if (signal.aborted) return
    const folders = new Set(moduleFiles(module).map((file) => dirname(file)))
    // Folders, because an editor replaces the file.
    watchers = [...new Set([...folders].map(existing))].flatMap((folder) => watching(folder, soon))
  }
  const soon = (): void => {
    clearTimeout(timer)
    if (!signal.aborted) timer = setTimeout(() => void look(), QUIET_MS)
  }
  const look = async (): Promise<void> => {
    if (busy) return soon()
    const now = moduleContent(module)
    // A folder that was made anew is another one, whatever is in it.
    if (now === seen) return arm()
    seen = now
    busy = true
    try {
      await changed()
    } finally {
      busy = false
      arm()
      soon()
    }
  }
  signal.addEventListener('abort', () => {
    clearTimeout(timer)
    disarm()
  })
  arm()
  soon()
}

/** Stands for the content of the module and of what it imports locally. */
export function moduleContent(module: string): string {
  const hash = createHash('sha256')
  for (const file of moduleFiles(module)) hash.update(`${file}\n`).update(readOrNothing(file))
  return hash.digest('hex')
}

/** The folder, or the nearest one above it that is there. */
function existing(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existing(dirname(folder))
}

/** None for a folder that goes at this moment: the one above it tells when it is back. */
function watching(folder: string, changed: () => void): FSWatcher[] {
  try {
    return [watch(folder, changed).on('error', changed)]
  } catch {
    setTimeout(changed, QUIET_MS).unref()
    return []
  }
}

function readOrNothing(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch {
    return Buffer.alloc(0)
  }
}
