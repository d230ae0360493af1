/**
 * First bytes of a kind's headers, shared by who writes them and who compares them; 0: the kind has no such form. `fixMax`
 * is the greatest length in the one-byte form, −1 without one (msgpack specification, formats).
 */
export interface Headers {
  readonly fix: number
  readonly fixMax: number
  readonly wide8: number
  readonly wide16: number
  readonly wide32: number
}

export const STRING: Headers = { fix: 0xa0, fixMax: 31, wide8: 0xd9, wide16: 0xda, wide32: 0xdb }
export const BYTES: Headers = { fix: 0, fixMax: -1, wide8: 0xc4, wide16: 0xc5, wide32: 0xc6 }
export const ARRAY: Headers = { fix: 0x90, fixMax: 15, wide8: 0, wide16: 0xdc, wide32: 0xdd }
export const MAP: Headers = { fix: 0x80, fixMax: 15, wide8: 0, wide16: 0xde, wide32: 0xdf }
