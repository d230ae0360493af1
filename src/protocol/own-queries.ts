/** The machine that queries of the session layer itself are sent to; no user machine can have its name. */
export const OWN_MACHINE = 'holdfast'

/** Its query for what became of a command of the asking session: input `{ requestId }`. */
export const OUTCOME_QUERY = 'outcome'
