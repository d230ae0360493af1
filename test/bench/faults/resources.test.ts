import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { removeLeftovers, Resources, startedAt } from '../../../bench/faults/world/resources.ts'

// Only Linux tells when a process began.
const onLinux = test.runIf(process.platform === 'linux')

function parent(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-leftovers-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function idle(): { readonly pid: number; readonly exited: Promise<unknown> } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  return { pid: child.pid ?? -1, exited: once(child, 'exit') }
}

/** A run whose own process is gone. */
function abandoned(below: string): Resources {
  const run = Resources.claim(below)
  rmSync(join(run.directory, 'resources'))
  appendFileSync(join(run.directory, 'resources'), '{"kind":"owner","pid":1,"started":"another one\'s"}\n')
  return run
}

onLinux('what a run has left that is no more is removed: its processes end, its directory goes', async () => {
  const below = parent()
  const run = abandoned(below)
  const child = idle()
  run.noteProcess(child.pid)
  appendFileSync(join(run.directory, 'resources'), '{"kind":"proc')
  expect(await removeLeftovers(below)).toEqual([run.directory])
  await child.exited
  expect(existsSync(run.directory)).toBe(false)
})

onLinux('what a run has that goes on stays', async () => {
  const below = parent()
  const run = Resources.claim(below)
  expect(await removeLeftovers(below)).toEqual([])
  expect(existsSync(run.directory)).toBe(true)
  await run.release()
  expect(existsSync(run.directory)).toBe(false)
})

onLinux('a process that has the number of one that is gone is left alone', async () => {
  const below = parent()
  const run = abandoned(below)
  const child = idle()
  run.note({ kind: 'process', pid: child.pid, started: `${startedAt(child.pid)}0` })
  await removeLeftovers(below)
  expect(startedAt(child.pid)).not.toBeNull()
})
