import { CHART_ERRORS } from './chart.ts'
import { CLIENT_ERRORS } from './client.ts'
import { HALT_ERRORS } from './halt.ts'
import { HTTP_ERRORS } from './http.ts'
import { CONNECTION_ERRORS, PEER_ERRORS, SERVER_ERRORS } from './links.ts'
import { MACHINE_ERRORS } from './machine.ts'
import { OPERATOR_ERRORS } from './operator.ts'
import { QUERY_ERRORS } from './query.ts'
import { REQUEST_ERRORS } from './request.ts'
import type { ErrorScope, Rows } from './row.ts'
import { ATTACH_ERRORS, OPEN_ERRORS, SESSION_ERRORS } from './sessions.ts'
import { STORAGE_ERRORS } from './storage.ts'

/** Every code by scope; `errors.ts` reads it. */
export const ERROR_TABLE: { readonly [scope in ErrorScope]: Rows } = {
  request: REQUEST_ERRORS,
  open: OPEN_ERRORS,
  attach: ATTACH_ERRORS,
  session: SESSION_ERRORS,
  query: QUERY_ERRORS,
  connection: CONNECTION_ERRORS,
  operator: OPERATOR_ERRORS,
  peer: PEER_ERRORS,
  server: SERVER_ERRORS,
  client: CLIENT_ERRORS,
  machine: MACHINE_ERRORS,
  storage: STORAGE_ERRORS,
  halt: HALT_ERRORS,
  http: HTTP_ERRORS,
  chart: CHART_ERRORS,
}
