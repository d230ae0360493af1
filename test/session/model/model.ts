import type { Limits } from '../../../src/codec/entry/payload.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { ackTimeout } from '../../../src/session/entries/retry-server-requests.ts'
import type { Reply } from '../../../src/session/state-machine.ts'
import { type Everything, type ModelEntry, fence, newSession, refused, type Session, type Waiting } from './types.ts'
import { ModelLetters } from './letters.ts'
import { append, coalesce, notify, takeOut } from './outbox.ts'
import { runCommand } from './commands.ts'
import { ModelParts } from './parts.ts'
import { fireSchedule, takeStep } from './schedules.ts'
import { answerWorker, endWorker, fireTask, lend, noTasks } from './tasks.ts'
import { type ModelBuild, FAILING, ModelVersions, OWN, TASKS } from './versions.ts'
import { endOwner, nextDue, noWaits, tellEnds, timeOut } from './waits.ts'

/**
 * The reference model (sessions.md §12): the same rules as `SessionStateMachine` and `propertyMachine` in plain maps, with
 * no cache, no index and no write buffer: a transaction works on a copy of everything. Bytes and hashes are left out;
 * the jitter of retries is the implementation's own function, which has a test of its own.
 */
export class Model {
  all: Everything = {
    sessions: new Map(),
    tombstones: new Map(),
    user: new Map(),
    timers: new Map(),
    mail: new Map(),
    once: new Map(),
    waits: noWaits(),
    schedules: new Map(),
    tasks: noTasks(),
    alerts: new Map(),
  }
  now = 0
  lease = 0
  index = 2
  deliver: Set<number> = new Set()
  ended: { session: number; reason: string }[] = []
  limits: Limits
  readonly letters = new ModelLetters()
  /** Entry that changed them; 0: none. */
  private limitsFrom = 0
  readonly versions: ModelVersions
  readonly parts = new ModelParts()
  constructor(limits: Limits, build: ModelBuild) {
    this.limits = limits
    this.versions = new ModelVersions(build)
  }

  /** `skipped`: the parts of it that are not to be run. */
  apply(entry: ModelEntry, clocks: { now: number; lease: number }, skipped: readonly string[] = []): Reply {
    this.index += 1
    this.parts.begin(this.index, this.versions.skips ? skipped : [])
    this.deliver = new Set()
    this.ended = []
    this.lease = Math.max(this.lease, clocks.lease)
    const now = Math.max(this.now, clocks.now)
    this.fire(now)
    this.now = now
    for (const [index, { until }] of this.all.tombstones) if (until < now) this.all.tombstones.delete(index)
    if (!this.parts.whole) return refused('INVALID', { reason: 'SKIPPED' })
    const reply = this.applyKind(entry)
    tellEnds(this)
    return reply
  }

  /** Whether this replica must not apply the entry; it stays so for all that follow. */
  halts(entry: ModelEntry): boolean {
    if (this.versions.halts(entry)) return true
    if (!this.versions.skips || !this.parts.misses(entry, this.index + 1)) return false
    this.versions.halted = 'SKIP_MISSED'
    return true
  }

  /** Runs a function of the machine, which throws where it returns false: everything is copied first, and put back then. */
  hook(label: string, body: () => boolean, alarm = 'MACHINE_ERROR'): boolean {
    const before = structuredClone(this.all)
    const delivered = new Set(this.deliver)
    if (this.parts.runs(label) && body()) return true
    this.all = before
    this.deliver = delivered
    this.alert(alarm)
    return false
  }

  alert(kind: string): void {
    this.all.alerts.set(kind, (this.all.alerts.get(kind) ?? 0) + 1)
  }

  private applyKind(entry: ModelEntry): Reply {
    switch (entry.kind) {
      case 'open':
        return this.open(entry)
      case 'attach':
        return this.attach(entry)
      case 'request':
        return this.request(entry)
      case 'ack':
        return this.ack(entry)
      case 'keepAlive':
        return { kind: 'keptAlive', alive: entry.sessions.map((index) => this.renew(index)) }
      case 'close':
        return this.close(entry)
      case 'expire':
        for (const { index, renewedAtIndex } of entry.sessions) {
          const session = this.all.sessions.get(index)
          if (session?.renewedAt === renewedAtIndex && session.renewed + session.timeoutMs <= this.lease)
            this.end(session, 'expired')
        }
        return { kind: 'none' }
      case 'retry':
        this.retry(entry)
        return { kind: 'none' }
      case 'switch':
        for (const advance of entry.advances) this.migrate(advance)
        return { kind: 'none' }
      case 'evict':
        return this.evict(entry.session)
      case 'move':
        return { kind: 'moved', outcomes: this.letters.move(entry, this) }
      case 'limits':
        if (entry.basedOn !== this.limitsFrom) return refused('LIMITS_CHANGED', { index: this.limitsFrom })
        this.limits = entry.limits
        this.limitsFrom = this.index
        if (this.versions.followsRoom) lend(this)
        return { kind: 'none' }
      case 'schedules':
        return { kind: 'scheduled', done: entry.steps.map((step) => takeStep(this, step)) }
      case 'skip':
      case 'tick':
        return { kind: 'none' }
    }
  }

  /** Rows are migrated from the version that ran, if one did. */
  private migrate({ machine, to }: { machine: string; to: number }): void {
    const from = this.versions.namedOf(machine)
    if (to <= from) return
    const done =
      from === 0 ||
      machine === OWN ||
      this.hook(
        `migration of ${machine} to ${to}`,
        () => {
          this.all.user.set('migrated', [machine, from, to])
          this.notify('user:1', 'migrated', to)
          return to !== FAILING
        },
        'MIGRATION_FAILED',
      )
    if (done) this.versions.switchTo(machine, to)
  }

  private fire(until: number): void {
    for (;;) {
      const due = nextDue(this.all)
      if (due === undefined || due.dueAt > until) return
      const { name, dueAt } = due
      this.now = Math.max(this.now, dueAt)
      if (due.kind === 'wait') timeOut(this.all.waits, name)
      else if (due.kind === 'schedule') fireSchedule(this, name, until)
      else if (due.kind === 'task') fireTask(this, name)
      else this.fireTimer(name, due.to)
      tellEnds(this)
    }
  }

  private fireTimer(name: string, to: number): void {
    this.all.timers.delete(name)
    this.hook(`timer test/${name}`, () => {
      this.all.user.set(`fired/${name}`, this.now)
      this.all.user.set('heard', this.emit(to, 'fired', name))
      return name !== 't2'
    })
  }

  private open(entry: ModelEntry & { kind: 'open' }): Reply {
    const found = [...this.all.sessions.values()].find((session) => session.who === entry.who)
    if (found !== undefined) {
      const same =
        found.timeoutMs === entry.timeoutMs && found.ordered === entry.ordered && found.refuse === entry.refuse
      return same
        ? { kind: 'opened', sessionId: `0/1/${found.index}` as never, existing: true }
        : refused('OPEN_CONFLICT')
    }
    const tombstone = [...this.all.tombstones].reverse().find(([, row]) => row.who === entry.who)?.[1]
    if (tombstone !== undefined) return refused('CLIENT_SESSION_CLOSED', { at: tombstone.at, reason: tombstone.reason })
    if (entry.late) return refused('OPEN_TOO_LATE')
    const { sessionsMax } = this.limits
    if (this.all.sessions.size + this.all.tombstones.size >= sessionsMax)
      return refused('TOO_MANY_SESSIONS', { max: sessionsMax })
    const { who } = entry
    const rejection = (code: string, details: Value) => refused('OPEN_REJECTED', { kind: 'reject', code, details })
    if (!this.parts.runs('onSessionCreated')) {
      this.alert('MACHINE_ERROR')
      return rejection('MACHINE_ERROR', { machine: 'onSessionCreated', index: this.index, reason: 'SKIPPED' })
    }
    if (entry.refuse) return rejection('REFUSED', who)
    this.all.sessions.set(this.index, newSession(entry, this))
    this.all.user.set('created', Number(this.all.user.get('created') ?? 0) + 1)
    const mail = this.all.mail.get(`user:${who}`)
    for (const payload of mail?.waiting.splice(0) ?? []) this.append(this.index, 'notification', payload, true)
    this.append(this.index, 'welcome', who)
    lend(this)
    return { kind: 'opened', sessionId: `0/1/${this.index}` as never, existing: false }
  }

  private attach(entry: ModelEntry & { kind: 'attach' }): Reply {
    const session = this.all.sessions.get(entry.session)
    if (session === undefined || !entry.known) return refused('SESSION_UNKNOWN')
    const repeated = session.epoch > 0 && session.nonce === entry.nonce
    if (!repeated && entry.replaces !== session.epoch) return refused('ATTACH_CONFLICT', { current: session.epoch })
    this.renew(entry.session)
    if (!repeated) {
      session.epoch = this.index
      session.nonce = entry.nonce
    }
    session.resentAt = this.now
    if (session.outbox.length > 0) this.deliver.add(session.index)
    const { epoch, acked: acknowledged, timeoutMs } = session
    const nextRequestId = Math.max(session.highest + 1, session.floor)
    return {
      kind: 'attached',
      sessionId: `0/1/${session.index}` as never,
      epoch,
      nextRequestId,
      acknowledged,
      timeoutMs,
    }
  }

  private request(entry: ModelEntry & { kind: 'request' }): Reply {
    const session = this.all.sessions.get(entry.session)
    if (session === undefined) return this.unknown(entry.session)
    const fenced = fence(session, entry.epoch)
    if (fenced !== null) return fenced
    this.renew(session.index)
    const invalidAck = entry.ack > session.lastId
    if (!invalidAck && entry.ack > session.acked) this.removeAcked(session, entry.ack)
    session.floor = Math.max(session.floor, Math.min(entry.lowest, entry.id))
    const { floor } = session
    for (const id of session.responses.keys()) if (id < floor) session.responses.delete(id)
    if (entry.id < floor) return refused('RESPONSE_EVICTED', { floor })
    const hash = `${entry.command} ${JSON.stringify(entry.input)}`
    const cached = session.responses.get(entry.id)
    if (cached !== undefined)
      return cached.hash === hash ? { ...cached.reply, replayed: true, invalidAck } : refused('REQUEST_CONFLICT')
    const active = this.versions.active(entry.machine)
    if (entry.version !== active) return refused('VERSION_CHANGED', { machine: entry.machine, active })
    const { windowRequests: window, cachedResponsesMax } = this.limits
    if (entry.id >= floor + window) return refused('WINDOW_EXCEEDED', { floor, window })
    const expected = Math.max(session.highest + 1, floor)
    if (session.ordered && entry.id !== expected) return refused('OUT_OF_ORDER', { expected })
    if (entry.id > floor && session.responses.size >= cachedResponsesMax) return refused('RESPONSE_BACKLOG', { floor })
    const outcome =
      entry.machine === TASKS
        ? answerWorker(this, session, entry)
        : this.execute(session.index, entry.command, entry.input)
    const reply = { kind: 'outcome', outcome, replayed: false, index: this.index, invalidAck } as const
    const own = this.all.sessions.get(session.index)
    own?.responses.set(entry.id, { hash, reply })
    if (own !== undefined) own.highest = Math.max(own.highest, entry.id)
    return reply
  }

  /** Everything is copied first; a rejection puts the copy back. */
  private execute(index: number, command: string, input: Value): (Reply & { kind: 'outcome' })['outcome'] {
    const before = structuredClone(this.all)
    const delivered = new Set(this.deliver)
    const reject = (code: string, details: Value) => {
      this.all = before
      this.deliver = delivered
      return { kind: 'reject', code, details } as const
    }
    const error = (reason: string) => reject('MACHINE_ERROR', { machine: 'test', index: this.index, reason })
    if (!this.parts.runs('command')) return error('SKIPPED')
    const value = runCommand(this, index, command, input)
    if (command === 'explode') return error('EXCEPTION')
    if (command === 'refuse') {
      const rejection = reject('NO', { at: this.index })
      this.hook('afterReject', () => this.all.user.set('refusedAt', this.index).has('refusedAt'))
      return rejection
    }
    if (value === undefined)
      return reject('OUTBOX_FULL', { session: command === 'emitOther' ? String(input) : `0/1/${index}` })
    return { kind: 'value', value }
  }

  emit(to: number, type: string, payload: Value): boolean {
    const session = this.all.sessions.get(to)
    if (session === undefined || session.outbox.length >= this.limits.outboxCountMax) return false
    this.append(to, type, payload)
    return true
  }

  coalesce(index: number, payload: Value): boolean {
    return coalesce(this, index, payload)
  }

  notify(principal: string, topic: string, body: Value): void {
    notify(this, principal, topic, body)
  }

  append(to: number, type: string, payload: Value, droppable = false): void {
    append(this, { to, type, payload, droppable, key: null })
  }

  appendAgain({ emitted, ...letter }: Waiting & { to: number }, remembered: boolean): void {
    append(this, remembered ? { ...letter, emitted } : letter)
  }

  private ack(entry: ModelEntry & { kind: 'ack' }): Reply {
    const session = this.all.sessions.get(entry.session)
    if (session === undefined) return this.unknown(entry.session)
    const fenced = fence(session, entry.epoch)
    if (fenced !== null) return fenced
    if (entry.upTo > session.lastId) return refused('INVALID_ACK', { last: session.lastId })
    this.renew(session.index)
    this.removeAcked(session, entry.upTo)
    return { kind: 'acknowledged', upTo: session.acked }
  }

  private removeAcked(session: Session, upTo: number): void {
    session.acked = Math.max(session.acked, upTo)
    session.outbox = session.outbox.filter((request) => request.id > session.acked)
    lend(this)
  }

  private retry(entry: ModelEntry & { kind: 'retry' }): void {
    const session = this.all.sessions.get(entry.session)
    if (session === undefined) return
    const [first, ...behind] = session.outbox
    if (first === undefined) return
    const wait = ackTimeout(this.limits, session.index, first.attempt)
    if (Math.max(first.sentAt, session.resentAt) + wait > this.now) return
    this.deliver.add(session.index)
    const dead = first.attempt >= this.limits.attemptsMax
    for (const request of dead ? behind : session.outbox) {
      request.attempt = dead && request.attempt > 1 ? 1 : request.attempt + 1
      request.sentAt = this.now
    }
    if (!dead) return
    takeOut(session, first)
    this.letters.bury(first, session.index)
    this.hook('onDeadLetter', () => this.all.user.set('dead', first.id).has('dead'))
    if (this.versions.followsRoom) lend(this)
  }

  private evict(index: number): Reply {
    const session = this.all.sessions.get(index)
    if (session === undefined) return this.unknown(index)
    this.end(session, 'expired')
    return { kind: 'closed' }
  }

  private close(entry: ModelEntry & { kind: 'close' }): Reply {
    const session = this.all.sessions.get(entry.session)
    if (session === undefined) return this.unknown(entry.session)
    const fenced = fence(session, entry.epoch)
    if (fenced !== null) return fenced
    this.end(session, 'closed')
    return { kind: 'closed' }
  }

  private end(session: Session, reason: string): void {
    this.all.sessions.delete(session.index)
    endOwner(this.all.waits, session.index)
    this.hook('onSessionExpired', () => {
      const ids = session.outbox.map(({ id }) => id)
      this.all.user.set(`ended/${reason}`, ids)
      this.notify('user:0', 'ended', session.who)
      return true
    })
    this.all.tombstones.set(session.index, {
      who: session.who,
      at: this.now,
      reason,
      until: this.now + this.limits.tombstoneMs,
    })
    endWorker(this, session.index)
    tellEnds(this)
    this.ended.push({ session: session.index, reason })
  }

  private renew(index: number): boolean {
    const session = this.all.sessions.get(index)
    if (session !== undefined) {
      session.renewed = this.lease
      session.renewedAt = this.index
    }
    return session !== undefined
  }

  private unknown(index: number): Reply {
    const tombstone = this.all.tombstones.get(index)
    return tombstone === undefined
      ? refused('SESSION_UNKNOWN')
      : refused('SESSION_EXPIRED', { at: tombstone.at, reason: tombstone.reason })
  }
}
