import { join } from 'node:path'
import { packageFacts } from '../package-root.ts'

/** Where a template's files lie, which the package carries. */
export function templateFolder(name: 'project' | 'machine'): string {
  return join(packageFacts().root, 'templates', name)
}
