import type { MachineSchema } from './schema.ts'

/** A typed reference to the tables of a machine, for `ctx.read` of others; made by `tablesOf`. */
export interface TablesRef<Schema extends MachineSchema = MachineSchema> {
  readonly machine: string
  readonly schema: Schema
}

/**
 * Refers to the tables of the machine of that name, as its schema declares them. Make it once, beside the schema: the kit
 * remembers what it found for it.
 */
export function tablesOf<Schema extends MachineSchema>(machine: string, schema: Schema): TablesRef<Schema> {
  return { machine, schema }
}
