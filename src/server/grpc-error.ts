import { Metadata, type StatusObject } from '@grpc/grpc-js'
import type { Value } from '../codec/value/value.ts'
import { grpcFailure, STATUS_DETAILS_KEY } from '../protocol/error-info.ts'
import type { ErrorScope } from '../protocol/errors.ts'

/** A code of the registry as a gRPC status with its ErrorInfo; scalar details become metadata. */
export function statusObject(scope: ErrorScope, code: string, details: Value = null): StatusObject {
  const failure = grpcFailure(scope, code, flatten(details))
  const metadata = new Metadata()
  metadata.set(STATUS_DETAILS_KEY, failure.statusDetails)
  return { code: failure.code, details: failure.details, metadata }
}

function flatten(details: Value): { readonly [key: string]: string } {
  if (details === null || typeof details !== 'object' || Array.isArray(details) || details instanceof Uint8Array)
    return {}
  const pairs = Object.entries(details).flatMap(([key, value]) =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? [[key, String(value)] as const]
      : [],
  )
  return Object.fromEntries(pairs)
}
