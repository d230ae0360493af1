#!/usr/bin/env node
import { EXIT, errorCode, type ExitCode, MORE_FILES } from './terminal/exit.ts'
import { say } from './terminal/output.ts'
import { hearSignals, isServing } from './terminal/signals.ts'

/** The executable: hears signals and guards the pipes before anything slow is loaded, then runs one command line. */

/** What was written to stdout is out before the process ends; a server does not wait for a reader that does not read. */
function exitWhenWritten(code: ExitCode): void {
  if (isServing()) process.exit(code)
  process.stdout.write('', () => process.exit(code))
}

/** With very few descriptors a process cannot even open its own modules. */
function failedToLoad(error: unknown): never {
  say(`holdfast: the program could not be loaded: ${error instanceof Error ? error.message : String(error)}`)
  if (errorCode(error) === 'EMFILE') say(MORE_FILES)
  process.exit(EXIT.failure)
}

hearSignals()
// What is said to a person changes nothing when nobody hears it, and a server has said all of its result when it serves.
process.stderr.on('error', () => undefined)
// A result that could not be written is a failure: `holdfast … | head -1` has not done all that it was asked.
process.stdout.on('error', () => {
  if (!isServing()) process.exit(EXIT.failure)
})
const { run } = await import('./run.ts').catch(failedToLoad)
exitWhenWritten(await run(process.argv))
