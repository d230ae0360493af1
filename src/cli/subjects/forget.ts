import { forgetSubject } from '../../client/operator/forget.ts'
import { asked } from '../sessions/asked.ts'
import { EXIT, usageError } from '../terminal/exit.ts'
import { print, printJson } from '../terminal/output.ts'

/** Whom `holdfast forget` forgets. */
export interface ForgetFlags {
  readonly endpoints: readonly string[]
  readonly subject: string
  readonly yes: boolean
  readonly json: boolean
}

/** `holdfast forget`. Exit code 0 once every voter has destroyed its keys, 1 while some have not said so. */
export async function forget({ endpoints, subject, yes, json }: ForgetFlags): Promise<0 | 1> {
  if (!yes) {
    const hint = 'Nothing brings the data back, no backup either. To do it, add --yes.'
    throw usageError(`this would destroy every key of the subject "${subject}"`, hint)
  }
  const { index, missing, by } = await asked(forgetSubject(endpoints, subject), EXIT.failure)
  if (json) printJson({ subject, index, missing, by })
  else if (missing.length === 0) print(`forgotten by entry ${index}: every voter has destroyed its keys`)
  else {
    print(`forgotten by entry ${index}; not yet said to be destroyed on: ${missing.join(', ')}`)
    print('They destroy their keys as they come back, before they open a field. To see that they have, ask again:')
    print(`  holdfast forget ${JSON.stringify(subject)} --yes`)
  }
  return missing.length === 0 ? 0 : 1
}
