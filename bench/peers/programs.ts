import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** What one would pick instead cannot be measured here: the sentence says what is missing and how to get it. */
export class Skipped extends Error {
  override readonly name = 'Skipped'
}

/** The path of a program; Skipped with `install`'s line when it is nowhere. */
export function program(name: string, more: { readonly folders: readonly string[]; readonly install: string }): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...more.folders]
  for (const folder of folders) {
    if (folder !== '' && canRun(join(folder, name))) return join(folder, name)
  }
  throw new Skipped(`${name} is not installed (${more.install})`)
}

/** Debian keeps a server's programs by major version, outside of the path; the newest comes first. */
export function versionFolders(parent: string, within: string): string[] {
  if (!existsSync(parent)) return []
  const versions = readdirSync(parent).filter((name) => /^\d+$/.test(name))
  return versions.sort((one, other) => Number(other) - Number(one)).map((name) => join(parent, name, within))
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
