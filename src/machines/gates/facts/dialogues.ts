import type { TableViews } from '../../../machine/define/context.ts'
import { tablesOf } from '../../../machine/define/tables-of.ts'
import { sessionSchema } from '../../session/facts/session-schema.ts'

/** The dialogues themselves, which the machine session keeps: `ctx.read(sessionTables)`. */
export const sessionTables = tablesOf('session', sessionSchema)
/** Its tables, to be read. */
export type DialoguesView = TableViews<typeof sessionSchema>
