/** Runs a world to its end: what broke an invariant of it, as a sentence; null when all of them held. */
export function failureOf(world: { run(): void }, trace?: (line: string) => void): string | null {
  try {
    world.run()
    return null
  } catch (error) {
    const failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    trace?.(error instanceof Error ? (error.stack ?? failure) : failure)
    return failure
  }
}
