import { z } from 'zod'
import { table } from '../../../machine/define/schema.ts'
import { tablesOf } from '../../../machine/define/tables-of.ts'
import type { TableViews } from '../../../machine/define/context.ts'
import { agreementRow, commonGroundRow, consentRow, dialogueRow, needRow, personRow, stageRow } from './rows.ts'

/** What the machine gates keeps, as far as other machines read it (domain.md §2.1). The machine itself follows. */
const gatesSchema = {
  version: 1,
  state: {
    /** [dialogue, person, stage] */
    stages: table(z.tuple([z.string(), z.string(), z.int()]), stageRow),
    /** [dialogue, person] */
    people: table(z.tuple([z.string(), z.string()]), personRow),
    dialogues: table(z.string(), dialogueRow),
    /** [dialogue, owner, need] */
    needs: table(z.tuple([z.string(), z.string(), z.string()]), needRow),
    /** [dialogue, item] */
    commonGround: table(z.tuple([z.string(), z.string()]), commonGroundRow),
    /** [dialogue, agreement] */
    agreements: table(z.tuple([z.string(), z.string()]), agreementRow),
    /** [dialogue, consent] */
    consents: table(z.tuple([z.string(), z.string()]), consentRow),
  },
} as const

/** Reads them: `ctx.read(gatesTables)`. */
export const gatesTables = tablesOf('gates', gatesSchema)
/** Its tables, to be read. */
export type GatesView = TableViews<typeof gatesSchema>
