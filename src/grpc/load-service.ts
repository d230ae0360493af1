import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { type AnyDefinition, loadSync, type MessageTypeDefinition, type PackageDefinition } from '@grpc/proto-loader'
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
  return serviceOf(load(file), { file, service })
}

/**
 * The same for who serves it, with the code of each message of the file compiled, some 30 ms a file: protobufjs compiles a
 * message where it first meets it, which kept the loop of a working node for 20 ms when somebody first asked for its status.
 */
export function loadServedService(file: string, service: string): ServiceDefinition {
  const loaded = load(file)
  for (const each of Object.values(loaded)) if (isMessage(each)) each.serialize(each.deserialize(NO_FIELDS))
  return serviceOf(loaded, { file, service })
}

const NO_FIELDS = Buffer.alloc(0)

function load(file: string): PackageDefinition {
  return loadSync(file, {
    longs: Number,
    enums: String,
    defaults: true,
    keepCase: false,
    includeDirs: [protoDirectory()],
  })
}

function serviceOf(
  loaded: PackageDefinition,
  { file, service }: { readonly file: string; readonly service: string },
): ServiceDefinition {
  const definition = loaded[service]
  assert(definition !== undefined && !('format' in definition), 'the proto file defines the service', { file, service })
  return definition as ServiceDefinition
}

function isMessage(definition: AnyDefinition): definition is MessageTypeDefinition<object, object> {
  return 'serialize' in definition && 'deserialize' in definition
}
