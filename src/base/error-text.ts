/** What was thrown, as one text; never throws, whatever was. At most `charactersMax` characters. */
export function errorText(error: unknown, charactersMax = 500): string {
  return shortened(error, charactersMax, (thrown) =>
    thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown),
  )
}

/** Its stack, and those of its causes; empty for what has none. Never throws. At most `charactersMax` characters. */
export function errorStack(error: unknown, charactersMax = 4000): string {
  return shortened(error, charactersMax, (thrown) => {
    const stacks: string[] = []
    let at: unknown = thrown
    for (; at instanceof Error && stacks.length < CAUSES_MAX; at = at.cause) stacks.push(at.stack ?? '')
    return stacks.join('\ncaused by ')
  })
}

const CAUSES_MAX = 5

function shortened(error: unknown, charactersMax: number, read: (error: unknown) => string): string {
  try {
    const text = String(read(error))
    return text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text
  } catch {
    return 'something that cannot be shown'
  }
}
