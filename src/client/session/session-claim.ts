import type { SessionNumbers } from '../../codec/entry/payload.ts'
import type { Value } from '../../codec/value/value.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import { NONCE_BYTES } from '../../protocol/limits.ts'
import type { UpMessage } from '../../protocol/up-frame.ts'
import { numberIn } from '../calls/raw-outcome.ts'
import { secretBytes, secretText, type SessionSettings, type SessionToken } from './session-settings.ts'

/** An open is valid for this long after the log's time, which bounds how late a lost copy of it may still open. */
const VALID_FOR_MS = 2 * 60_000
const SECRET_BYTES = 32
/** Times that an open takes the log's time out of a refusal before it is given up. */
const LOG_TIMES_MAX = 4

/** What a holder has of its session, and says to open it or to attach to it: both are repeated unchanged until answered. */
export class SessionClaim {
  private readonly channel: number
  private readonly settings: SessionSettings
  private readonly randomBytes: (count: number) => Uint8Array
  private readonly secret: Uint8Array
  private sessionNumbers: SessionNumbers | null
  private attachEpoch: number
  /** Repeated until its attach is answered, so that a lost reply gives the same epoch. */
  private nonce: Uint8Array | null = null
  /** Log time up to which the open may be applied; 0: not opened yet. Repeated unchanged with the secret. */
  private validUntil = 0
  /** How often the time out of a refusal was used for `validUntil`. */
  private logTimesTaken = 0
  /**
   * Taken up, and not attached yet. The epoch of a token may be of before its holder's own failover: taking a session up
   * means to have it, so that an ATTACH_CONFLICT tells the epoch to replace.
   */
  private adopting: boolean

  constructor(channel: number, settings: SessionSettings, randomBytes: (count: number) => Uint8Array) {
    const { resume } = settings
    this.channel = channel
    this.settings = settings
    this.randomBytes = randomBytes
    this.secret = resume === null ? randomBytes(SECRET_BYTES) : secretBytes(resume.secret)
    this.sessionNumbers = resume
    this.attachEpoch = resume?.epoch ?? 0
    this.adopting = resume !== null
  }

  /** The session's id; null before it was opened. */
  get numbers(): SessionNumbers | null {
    return this.sessionNumbers
  }

  /** Epoch of the newest attach that was answered. */
  get epoch(): number {
    return this.attachEpoch
  }

  /** What another process needs to take the session up; null before it was opened. */
  get token(): SessionToken | null {
    if (this.numbers === null) return null
    const { group, incarnation, index } = this.numbers
    return { group, incarnation, index, secret: secretText(this.secret), epoch: this.epoch }
  }

  /** The open was answered. */
  opened({ group, incarnation, index }: SessionNumbers): void {
    this.sessionNumbers = { group, incarnation, index }
  }

  /** An attach was answered with its epoch. */
  attached(epoch: number): void {
    this.nonce = null
    this.adopting = false
    this.attachEpoch = epoch
  }

  /** What opens the session; `logTime` is the greeting's. */
  openMessage(logTime: number): UpMessage {
    const { principal, roles, capabilities, name, timeoutMs, ordered } = this.settings
    if (this.validUntil === 0) this.validUntil = Math.floor(logTime) + VALID_FOR_MS
    return {
      kind: 'open',
      channel: this.channel,
      secret: this.secret,
      principal,
      roles,
      capabilities: encodeValue(capabilities),
      name,
      timeoutMs,
      validUntil: this.validUntil,
      ordered,
    }
  }

  /** What attaches to the session; null before it was opened. */
  attachMessage(): UpMessage | null {
    const { numbers, secret, epoch, channel } = this
    if (numbers === null) return null
    this.nonce ??= this.randomBytes(NONCE_BYTES)
    const { group, incarnation, index } = numbers
    return { kind: 'attach', channel, group, incarnation, index, secret, replaces: epoch, nonce: this.nonce }
  }

  /**
   * The greeting's time was not the log's (a node that had applied nothing yet, or whose clock is wrong): the refusal says
   * the log's, and the same secret is opened with a bound from that. No earlier copy can open any more, or it has opened
   * this very session. Again a few times: a young leader's median of clocks moves with each voter that it hears. True when
   * the open is to be said again.
   */
  takeLogTime(code: string, details: Value): boolean {
    if (code !== 'OPEN_TOO_LATE' && code !== 'INVALID') return false
    // The refusal of a copy from before: the one with the log's time is under way, or goes out once more.
    if (code === 'OPEN_TOO_LATE' && numberIn(details, 'validUntil') !== this.validUntil) return true
    const now = numberIn(details, 'now')
    if (this.logTimesTaken === LOG_TIMES_MAX || now === null) return false
    this.logTimesTaken += 1
    this.validUntil = now + VALID_FOR_MS
    return true
  }

  /** Somebody else attached. A session that is being taken up learns its epoch here: true, attach again. */
  takeEpoch(details: Value): boolean {
    const current = numberIn(details, 'current')
    if (!this.adopting || current === null) return false
    this.attachEpoch = current
    return true
  }
}
