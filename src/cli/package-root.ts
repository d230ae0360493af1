import { join } from 'node:path'
import { packageFacts } from '../host/package-facts.ts'

export { packageFacts } from '../host/package-facts.ts'

/** The compiled command line, which child processes run; also when this file itself runs uncompiled. */
export function executablePath(): string {
  return join(packageFacts().root, 'dist', 'src', 'cli', 'main.js')
}
