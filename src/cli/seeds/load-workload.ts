import { resolve } from 'node:path'
import type { Workload } from '../../testing/index.ts'
import { loadModule } from '../machines/load-module.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'

const CURE = 'Export what defineWorkload of holdfast/testing gives: export default defineWorkload({ … }).'

/**
 * The one workload that a module exports, under whatever name. Rejects with CommandError as `loadModule` does, and when there
 * is none, or more than one.
 */
export async function loadWorkload(file: string): Promise<Workload> {
  const path = resolve(file)
  const exported = Object.values(await loadModule(path, '--workload'))
  const found = [...new Set(exported.filter(isWorkload))]
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  const words = found.length === 0 ? 'exports no workload' : `exports ${found.length} workloads`
  throw new CommandError(EXIT.failure, `--workload: ${path} ${words}`, CURE)
}

function isWorkload(value: unknown): value is Workload {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'workload'
}
