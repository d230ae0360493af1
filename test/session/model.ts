import type { Limits } from '../../src/codec/entry/payload.ts'
import type { Value } from '../../src/codec/value/value.ts'
import { ackTimeout } from '../../src/session/entries/retry-server-requests.ts'
import type { Reply } from '../../src/session/state-machine.ts'
import { type Everything, type ModelEntry, newSession, type Session, type Waiting } from './model-types.ts'
import { ModelLetters } from './model-letters.ts'
import { type ModelBuild, ModelVersions } from './model-versions.ts'
import { endOwner, nextDue, noWaits, runWaitCommand, tellEnds, timeOut, WAIT_COMMANDS } from './model-waits.ts'

export type { ModelEntry, ModelRequest } from './model-types.ts'

const refused = (code: string, details: Value = null) => ({ kind: 'refused', code, details }) as Reply

/**
 * The reference model (sessions.md §12): the same rules as `SessionStateMachine` and `propertyMachine` in plain maps, with
 * no cache, no index and no write buffer: a transaction works on a copy of everything. Bytes, hashes and tasks are left out;
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
  constructor(limits: Limits, build: ModelBuild) {
    this.limits = limits
    this.versions = new ModelVersions(build)
  }

  apply(entry: ModelEntry, clocks: { now: number; lease: number }): Reply {
    this.index += 1
    this.deliver = new Set()
    this.ended = []
    this.lease = Math.max(this.lease, clocks.lease)
    const now = Math.max(this.now, clocks.now)
    this.fire(now)
    this.now = now
    for (const [index, { until }] of this.all.tombstones) if (until < now) this.all.tombstones.delete(index)
    const reply = this.applyKind(entry)
    tellEnds(this)
    return reply
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
        return { kind: 'none' }
      case 'tick':
        return { kind: 'none' }
    }
  }

  /** Rows are migrated from the version that ran, if one did. */
  private migrate({ machine, to }: { machine: string; to: number }): void {
    const from = this.versions.switchTo(machine, to)
    if (from === null) return
    this.all.user.set('migrated', [machine, from, to])
    this.notify('user:1', 'migrated', to)
  }

  private fire(until: number): void {
    for (;;) {
      const due = nextDue(this.all)
      if (due === undefined || due.dueAt > until) return
      const { name, to, dueAt } = due
      this.now = Math.max(this.now, dueAt)
      if (to === null) {
        timeOut(this.all.waits, name)
        tellEnds(this)
        continue
      }
      this.all.timers.delete(name)
      if (name === 't2') continue // It throws: nothing of it stays.
      this.all.user.set(`fired/${name}`, this.now)
      this.all.user.set('heard', this.emit(to, 'fired', name))
    }
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
    if (entry.refuse) return refused('OPEN_REJECTED', { kind: 'reject', code: 'REFUSED', details: entry.who })
    const { who } = entry
    this.all.sessions.set(this.index, newSession(entry, this))
    this.all.user.set('created', Number(this.all.user.get('created') ?? 0) + 1)
    const mail = this.all.mail.get(`user:${who}`)
    for (const payload of mail?.waiting.splice(0) ?? []) this.append(this.index, 'notification', payload, true)
    this.append(this.index, 'welcome', who)
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
    const fenced = this.fence(session, entry.epoch)
    if (fenced !== null) return fenced
    this.renew(session.index)
    const invalidAck = entry.ack > session.lastId
    if (!invalidAck) this.removeAcked(session, entry.ack)
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
    const outcome = this.execute(session.index, entry.command, entry.input)
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
    const value = this.run(index, command, input)
    if (command === 'refuse') return reject('NO', { at: this.index })
    if (command === 'explode')
      return reject('MACHINE_ERROR', { machine: 'test', index: this.index, reason: 'EXCEPTION' })
    if (value === undefined)
      return reject('OUTBOX_FULL', { session: command === 'emitOther' ? String(input) : `0/1/${index}` })
    return { kind: 'value', value }
  }

  /** Undefined: a full outbox refused an emission. */
  private run(index: number, command: string, input: Value): Value | undefined {
    const { user, timers, once } = this.all
    const n = Number(input)
    if (command === 'increment') {
      user.set(`count/${n}`, Number(user.get(`count/${n}`) ?? 0) + 1)
      return user.get(`count/${n}`)
    }
    if (command === 'emit') {
      const results = Array.from({ length: n }, (_, at) => this.emit(index, 'event', at))
      return results.includes(false) ? undefined : results
    }
    if (command === 'emitOther') {
      const to = Number(String(input).split('/')[2])
      if (!this.all.sessions.has(to)) return false
      return this.emit(to, 'event', 'hello') || undefined
    }
    if (command === 'coalesce') return this.coalesce(index, input) || undefined
    if (WAIT_COMMANDS.includes(command)) return runWaitCommand(this.all.waits, { command, n, index, now: this.now })
    if (command === 'later') timers.set(`t${n % 3}`, { dueAt: this.now + Math.max(n * 5000, 1), to: index })
    if (command === 'cancel') return timers.delete(`t${n % 3}`)
    if (command === 'notify') this.notify(`user:${n}`, 'news', this.index)
    if (command === 'once') {
      const kept = once.get(`k${n}`)
      if (kept !== undefined && kept.until > this.now) return ['replayed', kept.value]
      once.set(`k${n}`, { value: this.index, until: this.now + 60_000 })
      return ['fresh', this.index]
    }
    return null
  }

  tell(to: number, type: string, payload: Value): boolean {
    return this.emit(to, type, payload)
  }

  private emit(to: number, type: string, payload: Value): boolean {
    const session = this.all.sessions.get(to)
    if (session === undefined || session.outbox.length >= this.limits.outboxCountMax) return false
    this.append(to, type, payload)
    return true
  }

  private coalesce(index: number, payload: Value): boolean {
    const session = this.all.sessions.get(index)
    if (session === undefined) return false
    const waiting = session.outbox.find((request) => request.key === 'k')
    if (waiting === undefined && session.outbox.length >= this.limits.outboxCountMax) return false
    if (waiting !== undefined) this.takeOut(session, waiting)
    this.append(index, 'state', payload, false, 'k')
    return true
  }

  private notify(principal: string, topic: string, body: Value): void {
    const box = this.all.mail.get(principal) ?? { waiting: [], seq: 0 }
    this.all.mail.set(principal, box)
    box.seq += 1
    const payload = { topic, body, seq: box.seq }
    const live = [...this.all.sessions.values()].filter((session) => `user:${session.who}` === principal)
    for (const { index } of live) this.append(index, 'notification', payload, true)
    if (live.length > 0) return
    box.waiting.push(payload)
    while (box.waiting.length > this.limits.mailboxMax) box.waiting.shift()
  }

  append(to: number, type: string, payload: Value, droppable = false, key: string | null = null): void {
    const session = this.all.sessions.get(to)
    if (session === undefined) return
    session.lastId += 1
    while (droppable && session.outbox.length >= this.limits.outboxCountMax) {
      const oldest = session.outbox.find((request) => request.droppable)
      if (oldest === undefined) return
      this.takeOut(session, oldest)
    }
    const previousId = session.tailId
    session.tailId = session.lastId
    session.outbox.push({ id: session.lastId, previousId, type, payload, attempt: 1, sentAt: this.now, droppable, key })
    this.deliver.add(to)
  }

  private takeOut(session: Session, request: Waiting): void {
    const next = session.outbox[session.outbox.indexOf(request) + 1]
    if (next === undefined) session.tailId = request.previousId
    else next.previousId = request.previousId
    session.outbox = session.outbox.filter((other) => other !== request)
  }

  private ack(entry: ModelEntry & { kind: 'ack' }): Reply {
    const session = this.all.sessions.get(entry.session)
    if (session === undefined) return this.unknown(entry.session)
    const fenced = this.fence(session, entry.epoch)
    if (fenced !== null) return fenced
    if (entry.upTo > session.lastId) return refused('INVALID_ACK', { last: session.lastId })
    this.renew(session.index)
    this.removeAcked(session, entry.upTo)
    return { kind: 'acknowledged', upTo: session.acked }
  }

  private removeAcked(session: Session, upTo: number): void {
    session.acked = Math.max(session.acked, upTo)
    session.outbox = session.outbox.filter((request) => request.id > session.acked)
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
    this.takeOut(session, first)
    this.letters.bury(first, session.index)
    this.all.user.set('dead', first.id)
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
    const fenced = this.fence(session, entry.epoch)
    if (fenced !== null) return fenced
    this.end(session, 'closed')
    return { kind: 'closed' }
  }

  private end(session: Session, reason: string): void {
    this.all.sessions.delete(session.index)
    endOwner(this.all.waits, session.index)
    this.all.user.set(
      `ended/${reason}`,
      session.outbox.map(({ id }) => id),
    )
    this.notify('user:0', 'ended', session.who)
    this.all.tombstones.set(session.index, {
      who: session.who,
      at: this.now,
      reason,
      until: this.now + this.limits.tombstoneMs,
    })
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

  private fence(session: Session, epoch: number): Reply | null {
    if (epoch === session.epoch) return null
    return epoch < session.epoch
      ? refused('FENCED', { current: session.epoch })
      : refused('INVALID', { reason: 'EPOCH' })
  }
}
