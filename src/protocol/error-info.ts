import { ByteReader, ByteWriter, FrameError } from './bytes.ts'
import { type ErrorScope, explainError, GRPC_STATUS } from './errors.ts'

/** Domain of every ErrorInfo of ours. */
const ERROR_DOMAIN = 'holdfast'
/** Trailing metadata key of an encoded google.rpc.Status. */
export const STATUS_DETAILS_KEY = 'grpc-status-details-bin'

const ERROR_INFO_TYPE = 'type.googleapis.com/google.rpc.ErrorInfo'
/** Protobuf tags: field number × 8 + wire type (0 varint, 2 length-delimited). */
const TAG = { field1Varint: 0x08, field1: 0x0a, field2: 0x12, field3: 0x1a } as const
const FIELD_BYTES_MAX = 64 * 1024

/** What a gRPC error of ours says besides its status. */
export interface ErrorInfo {
  /** The stable code. */
  readonly reason: string
  readonly metadata: { readonly [key: string]: string }
}

/** A failure as a gRPC status: number, sentence and the bytes of `grpc-status-details-bin`. */
export interface GrpcFailure {
  readonly code: number
  readonly details: string
  readonly statusDetails: Buffer
}

/** The gRPC form of a code; a code that the registry lacks is INTERNAL. */
export function grpcFailure(
  scope: ErrorScope,
  code: string,
  metadata: { readonly [key: string]: string } = {},
): GrpcFailure {
  const entry = explainError(scope, code)
  const status = GRPC_STATUS[entry?.status ?? 'INTERNAL']
  const details = entry === null ? code : `${code}: ${entry.cause} ${entry.cure}`
  return {
    code: status,
    details,
    statusDetails: encodeStatus(status, details, { reason: code, metadata: { scope, ...metadata } }),
  }
}

/** google.rpc.Status with one ErrorInfo. */
export function encodeStatus(code: number, message: string, info: ErrorInfo): Buffer {
  const details = new ByteWriter(1024)
  details.byte(TAG.field1)
  details.text(info.reason)
  details.byte(TAG.field2)
  details.text(ERROR_DOMAIN)
  for (const [key, value] of Object.entries(info.metadata)) {
    const pair = new ByteWriter(256)
    pair.byte(TAG.field1)
    pair.text(key)
    pair.byte(TAG.field2)
    pair.text(value)
    details.byte(TAG.field3)
    details.bytes(pair.take())
  }
  const any = new ByteWriter(1024)
  any.byte(TAG.field1)
  any.text(ERROR_INFO_TYPE)
  any.byte(TAG.field2)
  any.bytes(details.take())
  const status = new ByteWriter(2048)
  status.byte(TAG.field1Varint)
  status.varint(code)
  status.byte(TAG.field2)
  status.text(message)
  status.byte(TAG.field3)
  status.bytes(any.take())
  return status.take()
}

/** The ErrorInfo in a google.rpc.Status, or null when there is none of ours. Never throws. */
export function decodeErrorInfo(status: Uint8Array): ErrorInfo | null {
  try {
    const any = fieldsOf(status).get(3)?.[0]
    if (any === undefined) return null
    const fields = fieldsOf(any)
    if (textOf(fields.get(1)?.[0]) !== ERROR_INFO_TYPE) return null
    const info = fieldsOf(fields.get(2)?.[0] ?? new Uint8Array(0))
    if (textOf(info.get(2)?.[0]) !== ERROR_DOMAIN) return null
    const pairs = (info.get(3) ?? []).map((pair) => fieldsOf(pair))
    const metadata = Object.fromEntries(pairs.map((pair) => [textOf(pair.get(1)?.[0]), textOf(pair.get(2)?.[0])]))
    return { reason: textOf(info.get(1)?.[0]), metadata }
  } catch (error) {
    if (error instanceof FrameError) return null
    throw error
  }
}

/** Length-delimited fields of a message by number; varints are skipped. */
function fieldsOf(bytes: Uint8Array): Map<number, Uint8Array[]> {
  const reader = new ByteReader()
  reader.reset(bytes)
  const fields = new Map<number, Uint8Array[]>()
  while (!reader.done) {
    const tag = reader.varint()
    const wireType = tag % 8
    if (wireType === 0) {
      reader.varint()
      continue
    }
    if (wireType !== 2) throw new FrameError(`wire type ${wireType} is not expected here`)
    const number = Math.floor(tag / 8)
    const list = fields.get(number) ?? []
    list.push(reader.bytes(FIELD_BYTES_MAX))
    fields.set(number, list)
  }
  return fields
}

function textOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('utf8')
}
