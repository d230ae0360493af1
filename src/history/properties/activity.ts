/** What happened in a run, by name: `operations`, `elections`, `operationsDuringFaults`, … */
export type Activity = { readonly [name: string]: number }

/**
 * What a run lacks to count as one: for each name of `minimum` with too little of it, a sentence. Empty: the run counts. A run
 * in which nothing happened shows nothing, whatever its checkers say.
 */
export function lackingActivity(activity: Activity, minimum: Activity): readonly string[] {
  return Object.entries(minimum).flatMap(([name, least]) => {
    const seen = activity[name] ?? 0
    return seen >= least ? [] : [`${name} ${seen}, and ${least} at least are needed`]
  })
}
