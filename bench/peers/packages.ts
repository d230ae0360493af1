import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageFacts } from '../../src/cli/package-root.ts'
import { Skipped } from './programs.ts'

/**
 * The packages of the peers that come from npm, as they were measured. They are no dependencies of ours: whoever wants them
 * beside us installs them below data/, with the line that `Skipped` says.
 */
const WANTED = {
  restate: ['@restatedev/restate-server@1.7.12', '@restatedev/restate-sdk@1.17.2'],
  dbos: ['@dbos-inc/dbos-sdk@5.3.0', 'postgres@3.4.9'],
} as const

export type PackagedPeer = keyof typeof WANTED

/** The folder of the peer's packages, which has a `node_modules`; Skipped where one of them is not installed. */
export function packagesOf(peer: PackagedPeer): string {
  const folder = join(packageFacts().root, 'data', 'peers')
  const missing = WANTED[peer].filter((wanted) => !existsSync(join(folder, 'node_modules', nameOf(wanted))))
  if (missing.length === 0) return folder
  throw new Skipped(`${missing.join(' ')} is not installed (npm install --prefix data/peers ${WANTED[peer].join(' ')})`)
}

/** Imports a module of one of these packages, as somebody in that folder would. */
export async function importFrom<Module>(folder: string, entry: string): Promise<Module> {
  return (await import(pathToFileURL(join(folder, 'node_modules', entry)).href)) as Module
}

/** As the bench says it. */
export function versionOf(peer: PackagedPeer): string {
  return WANTED[peer][0]
}

const nameOf = (wanted: string): string => wanted.slice(0, wanted.lastIndexOf('@'))
