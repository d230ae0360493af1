import type { EntryKind } from '../codec/entry/entry.ts'
import type { BuildMachine } from './user-machine.ts'

/** The name under which the log knows session layer, kit and codec; no user machine can have it. */
export const OWN_MACHINE_NAME = 'holdfast'

/**
 * The versions of it that this build has (docs/decisions/own-versions.md). A log that names none is at version 1. What a
 * version adds is proposed by no leader before the log has switched to it, and older builds can apply all of what there was
 * before.
 *
 *   2   EvictSession, MoveDeadLetters, SkipEntry; changes of Limits (`basedOn`, `waits`)
 */
export const OWN_MACHINE: BuildMachine = {
  name: OWN_MACHINE_NAME,
  versions: [
    { version: 1, schema: '', code: '' },
    { version: 2, schema: '', code: '' },
  ],
}

/** Since which version a leader may propose a kind; absent: since the first. */
export const KIND_SINCE: { readonly [kind in EntryKind]?: number } = {
  EvictSession: 2,
  MoveDeadLetters: 2,
  SkipEntry: 2,
}

/** Since which version a leader may propose a change of the limits. */
export const LIMITS_CHANGE_SINCE = 2
