import { examine } from '../host/doctor/doctor.ts'
import { readSettings, type TypedFlags } from './config/read-settings.ts'
import { formatHostPort } from '../base/host-port.ts'
import { EXIT, type ExitCode } from './terminal/exit.ts'
import { paint, print, printJson } from './terminal/output.ts'

/** Options of `holdfast doctor`. */
export interface DoctorFlags extends TypedFlags {
  readonly json?: true
}

/** `holdfast doctor`: exit code 1 where something is wrong; each finding says what to do. */
export async function doctor(flags: DoctorFlags): Promise<ExitCode> {
  const { values } = await readSettings(flags)
  const { data = null, id = null, peers = [], endpoints = [] } = values
  const named = peers.map((peer) => ({ id: peer.id as string, address: peer.address }))
  const findings = []
  const asked = { data, id, peers: named, endpoints: endpoints.map((each) => formatHostPort(each)) }
  for await (const finding of examine(asked)) {
    findings.push(finding)
    if (flags.json === true) continue
    const { check, code, sentence, next } = finding
    if (code === null) print(`${paint('green', 'ok')}    ${check}: ${sentence}`)
    else print(`${paint('red', 'wrong')} ${check}: ${sentence} (${code})\n      ${next ?? ''}`)
  }
  const ok = findings.every(({ code }) => code === null)
  if (flags.json === true) printJson({ ok, findings })
  return ok ? EXIT.ok : EXIT.failure
}
