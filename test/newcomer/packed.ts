import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ROOT } from '../tidy/tree.ts'
import { Programs } from './programs.ts'

/** An empty folder of its own, whose neighbour is the package of this tree: what `npm pack` makes of it. Compile before. */
export async function emptyFolderBesidePackage(): Promise<{ folder: string; tarball: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-empty-'))
  const shelf = mkdtempSync(join(tmpdir(), 'holdfast-packed-'))
  onTestFinished(() => {
    for (const path of [folder, shelf]) rmSync(path, { recursive: true, force: true })
  })
  const told = await new Programs(ROOT).run('npm', ['pack', '--json', '--pack-destination', shelf])
  const [{ filename }] = JSON.parse(told) as [{ filename: string }]
  return { folder, tarball: join(shelf, filename) }
}

/** `npm install` without what only a person reads. */
export const INSTALL = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'] as const
