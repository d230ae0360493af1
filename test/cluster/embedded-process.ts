import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { freePorts } from '../../src/cli/cluster/free-ports.ts'
import { executablePath } from '../../src/cli/package-root.ts'
import { temporaryDirectory } from './processes.ts'

const HOST = '127.0.0.1'

/** `holdfast dev`: a process with one embedded node, killed once the current test has finished. */
export interface EmbeddedProcess {
  readonly address: string
  readonly dataDirectory: string
  kill(): Promise<void>
  /** After `kill`: the same node on its data and address. */
  startAgain(): Promise<void>
}

export async function embeddedProcess(): Promise<EmbeddedProcess> {
  const dataDirectory = await temporaryDirectory()
  const [port] = await freePorts(1, HOST)
  const address = `${HOST}:${port}`
  let child = await spawnDev(dataDirectory, address)
  const kill = (): Promise<void> => end(child)
  onTestFinished(kill)
  return {
    address,
    dataDirectory,
    kill,
    startAgain: async () => {
      child = await spawnDev(dataDirectory, address)
    },
  }
}

/** Resolves when the process has said that it is ready. */
async function spawnDev(dataDirectory: string, address: string): Promise<ChildProcess> {
  const words = ['dev', '--listen', address, '--data', dataDirectory, '--json']
  const child = spawn(process.execPath, [executablePath(), ...words], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  const { stdout } = child
  await new Promise<void>((resolve, reject) => {
    if (stdout !== null) createInterface({ input: stdout }).once('line', () => resolve())
    child.once('exit', (code) => reject(new Error(`the embedded node ended with ${code} before it was ready`)))
  })
  return child
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGKILL')
  return gone
}
