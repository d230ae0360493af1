import { type Chapter, rows } from './named-rows.ts'

/** The rows of the design's register of decisions about payments and the session layer. */
export const REGISTER: Chapter = {
  folders: ['machines/payments/', 'session/'],
  tables: {
    'C30 to C39, payments': rows(`
      C30 payment and session move together
      C31 A1 in no_show_client
      C31 A2 in ready_failed
      C31 A3 requested
      C31 A4 a call that failed ends
      C32 what the forbidden table names is in no transition table
      C33 paid→in_progress is FORMS_REQUIRED even without forms
      C34 a failure never confirms
      C35 a refund of nothing is a decision too
      C36 nobody came
      C37 late money
      C38 the state is read from the machine
      C39 nothing turns the rules off`),
    'C70 to C72, the session layer': rows(`
      C70 a machine is three functions
      C71
      C72 a refund outlives the session of its worker`),
  },
}
