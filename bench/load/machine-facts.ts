import { cpus, loadavg } from 'node:os'

/** The machine that a result is of, as it is now. */
export interface MachineFacts {
  readonly cpus: number
  readonly model: string
  readonly node: string
  /** Load average of one minute. */
  readonly load: number
}

export function machineFacts(): MachineFacts {
  const load = Math.round((loadavg()[0] ?? 0) * 10) / 10
  return { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version, load }
}
