import type { GrpcStatusName } from '../grpc-status.ts'

/** Where a code is raised. The same code may mean different things in different scopes. */
export type ErrorScope =
  | 'request'
  | 'open'
  | 'attach'
  | 'session'
  | 'query'
  | 'connection'
  | 'operator'
  | 'peer'
  | 'server'
  | 'client'
  | 'machine'
  | 'storage'
  | 'halt'
  | 'http'
  | 'chart'

/** Status, whether the same copy may be sent again, cause, cure. */
export type Row = readonly [status: GrpcStatusName, retryable: boolean, cause: string, cure: string]

/** The rows of one scope, by code. */
export type Rows = { readonly [code: string]: Row }
