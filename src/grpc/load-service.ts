import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { assert } from '../base/assert.ts'

/** `proto/` lies beside `src/` in a checkout and two levels above `dist/src/` in a package. */
const CANDIDATES = ['../../proto/', '../../../proto/']

/** Directory of the committed .proto files. */
function protoDirectory(): string {
  const found = CANDIDATES.map((path) => fileURLToPath(new URL(path, import.meta.url))).find((path) => existsSync(path))
  assert(found !== undefined, 'the package contains its proto folder', { candidates: CANDIDATES })
  return found
}

/**
 * The definition of a service, e.g. `holdfast.v1.SessionService` of `holdfast/v1/session.proto`. 64-bit fields become
 * numbers (what exceeds 2^53-1 is refused as an id later), absent fields their defaults, enums their names.
 */
export function loadService(file: string, service: string): ServiceDefinition {
  const options = { longs: Number, enums: String, defaults: true, keepCase: false, includeDirs: [protoDirectory()] }
  const loaded = loadSync(file, options)[service]
  assert(loaded !== undefined && !('format' in loaded), 'the proto file defines the service', { file, service })
  return loaded as ServiceDefinition
}
