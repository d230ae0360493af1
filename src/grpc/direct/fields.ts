/** Named texts, as headers and trailers of gRPC are: a name is of a-z 0-9 - and may begin with a colon. */
export interface Fields {
  readonly [name: string]: string
}

/** Most bytes of the fields of one frame: those of an end carry a status of some sentences and its details. */
export const FIELDS_BYTES_MAX = 64 * 1024

const LINE = /^(:?[a-z0-9-]+): (.*)$/

/** One line for each, `name: value`. Line ends in a value become spaces: values of gRPC have none. */
export function encodeFields(fields: { readonly [name: string]: unknown }): Buffer {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${String(value).replace(/[\r\n]/g, ' ')}`)
  return Buffer.from(lines.join('\n'), 'utf8')
}

/** The inverse; null for what is no such lines. */
export function decodeFields(bytes: Buffer): Fields | null {
  const fields: { [name: string]: string } = Object.create(null)
  if (bytes.length === 0) return fields
  for (const line of bytes.toString('utf8').split('\n')) {
    const [, name, value] = LINE.exec(line) ?? []
    if (name === undefined || value === undefined) return null
    fields[name] = value
  }
  return fields
}
