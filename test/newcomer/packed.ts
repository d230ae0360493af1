import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { packed } from '../package/packed.ts'

/** An empty folder of its own, and the package of this tree as `npm pack` makes it. */
export async function emptyFolderBesidePackage(): Promise<{ folder: string; tarball: string }> {
  const { tarball } = await packed()
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-empty-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return { folder, tarball }
}

/** `npm install` without what only a person reads. */
export const INSTALL = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'] as const
