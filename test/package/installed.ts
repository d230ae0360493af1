import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ROOT } from '../tidy/tree.ts'

/**
 * A folder with the package as `npm pack` makes it, unpacked, and what it needs beside it: as an install leaves it, without a
 * registry. Gone once the current test has finished. Compile first (`compileOnce`): what is packed is dist/.
 */
export function installedPackage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-package-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, 'holdfast'), { recursive: true })
  execFileSync('tar', ['-xzf', join(folder, packed.trim()), '--strip-components=1', '-C', join(modules, 'holdfast')])
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== 'holdfast' && !name.startsWith('.')) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  }
  return folder
}
