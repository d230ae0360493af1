import { posix } from 'node:path'
import { tokenize } from './tokens.ts'

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

/** Names of files in a page, in backquotes. */
function filesNamedIn(page: string): string[] {
  return [...new Set([...page.matchAll(/`([\w/.-]+\.ts)`/g)].map((match) => match[1] ?? ''))]
}

/** Files that a page names and that are not there, by whatever end of their path. */
export function goneFiles(page: string, paths: readonly string[]): string[] {
  return filesNamedIn(page).filter((name) => !paths.some((path) => path === name || path.endsWith(`/${name}`)))
}

/**
 * Files that the page of a room names and that are neither in that room, by the end of their path, nor anywhere by their
 * path from src/ or from the top of the checkout: a bare name is one of the room's own. `paths` are those of the checkout.
 */
export function strayFiles(room: string, page: string, paths: readonly string[]): string[] {
  const inRoom = paths.filter((path) => path.startsWith(`${room}/`))
  const all = new Set(paths)
  return filesNamedIn(page).filter((name) => {
    const own = inRoom.some((path) => path.endsWith(`/${name}`))
    return (
      !own && !all.has(`src/${name}`) && !(name.includes('/') && (all.has(name) || all.has(posix.join(room, name))))
    )
  })
}

/** A path with a slash and the end `.ts`; not the tail of an address or of a pattern. */
const PATH = /(?<![\w./*:'{}-])(?:\.{1,2}\/)*(?:[\w-]+\/)+[\w.-]*\w\.ts\b/g

/**
 * Paths of TypeScript files in the comments of a source that name no file: neither from the top of the checkout, from src/,
 * test/ or bench/, nor from the file's own folder or one that holds it: in src/storage a path from there will do.
 */
export function goneInComments(file: string, source: string, paths: readonly string[]): string[] {
  const all = new Set(paths)
  const places = ['', 'src', 'test', 'bench', ...foldersOver(file)]
  const exists = (path: string): boolean => places.some((place) => all.has(posix.join(place, path)))
  const comments = tokenize(source).filter(({ kind }) => kind === 'comment')
  return comments.flatMap(({ text, line }) =>
    [...text.matchAll(PATH)]
      .filter(([path]) => !exists(path))
      .map(({ 0: path, index }) => `${file}:${line + text.slice(0, index).split('\n').length - 1} names ${path}`),
  )
}

/** `src/storage/opening` and `src/storage` of a file in src/storage/opening. */
function foldersOver(file: string): string[] {
  const folders: string[] = []
  for (let folder = posix.dirname(file); folder.includes('/'); folder = posix.dirname(folder)) folders.push(folder)
  return [...folders, posix.dirname(file)]
}

export const COMMENT_COLUMNS_MAX = 128

/** Lines with a comment that are wider than a reader's window: the formatter wraps code, and leaves comments alone. */
export function wideComments(file: string, source: string): string[] {
  const lines = source.split('\n')
  const spanned = tokenize(source).flatMap(({ kind, text, line }) =>
    kind === 'comment' ? text.split('\n').map((_, at) => line + at) : [],
  )
  return [...new Set(spanned)].flatMap((line) => {
    const width = lines[line - 1]?.length ?? 0
    return width > COMMENT_COLUMNS_MAX
      ? [`${file}:${line} has ${width} columns, comments have ${COMMENT_COLUMNS_MAX}`]
      : []
  })
}
