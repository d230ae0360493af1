import { posix } from 'node:path'

export const FILES_PER_FOLDER_MAX = 16

/** Folders whose files a table orders: raft's by the paper, its scripts by their numbers. */
const ORDERED = ['src/raft', 'test/raft/scripts']

/** Folders with more files than a reader takes in at a glance. */
export function crowdedFolders(paths: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const path of paths) counts.set(posix.dirname(path), (counts.get(posix.dirname(path)) ?? 0) + 1)
  return [...counts]
    .filter(([folder, count]) => count > FILES_PER_FOLDER_MAX && !ORDERED.includes(folder))
    .map(([folder, count]) => `${folder} shows ${count} files, the bound is ${FILES_PER_FOLDER_MAX}`)
}

const FILE_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|config))?\.ts$/

/** File names in another case than all others: words in lower case, joined by dashes. */
export function oddlyNamed(paths: readonly string[]): string[] {
  return paths.filter((path) => path.endsWith('.ts') && !FILE_NAME.test(posix.basename(path)))
}

/** Source files of a folder that the page at its door does not name. */
export function unlistedFiles(page: string, paths: readonly string[]): string[] {
  const named = new Set(page.match(/[\w/.-]+\.ts\b/g) ?? [])
  return paths.filter((path) => ![...named].some((name) => path === name || path.endsWith(`/${name}`)))
}

/** Files that the page names and that its folder does not have. */
export function goneFiles(page: string, paths: readonly string[]): string[] {
  const inCode = [...page.matchAll(/`([\w/.-]+\.ts)`/g)].map((match) => match[1] ?? '')
  return [...new Set(inCode)].filter((name) => !paths.some((path) => path === name || path.endsWith(`/${name}`)))
}
