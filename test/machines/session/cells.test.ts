import { describe, expect, test } from 'vitest'
import { DIALOGUE_TRANSITIONS, session, type DialogueStatus } from '../../../src/machines/index.ts'
import { A, B, DAY, EMAIL, SEED, TOKEN, World } from './world.ts'

const STATES: readonly DialogueStatus[] = ['CREATED', 'INVITED', 'ACTIVE', 'PAUSED', 'RESOLVED', 'ABANDONED']
const REFUSED = 'INVALID_STATE_TRANSITION'
const INACTIVE = 'SESSION_NOT_ACTIVE'
const same = (code: string): readonly string[] => STATES.map(() => code)

/** The table of domain.md §1.2: for each command who issues it, and per state the next state or the code. */
const CELLS: {
  readonly [command: string]: { readonly by: string; readonly input: object; readonly cells: readonly string[] }
} = {
  invite: { by: A, input: {}, cells: ['→INVITED', REFUSED, REFUSED, REFUSED, REFUSED, REFUSED] },
  resendInvitation: { by: A, input: {}, cells: [REFUSED, '→INVITED', REFUSED, REFUSED, REFUSED, REFUSED] },
  acceptInvitation: {
    by: B,
    input: { invitationId: 'inv-1', token: TOKEN },
    cells: ['INVITATION_NOT_SENT', '→ACTIVE', 'CONFLICT', 'CONFLICT', 'CONFLICT', 'CONFLICT'],
  },
  declineInvitation: {
    by: B,
    input: { invitationId: 'inv-1', token: TOKEN },
    cells: ['INVITATION_NOT_SENT', '→ABANDONED', 'CONFLICT', 'CONFLICT', 'CONFLICT', 'CONFLICT'],
  },
  pause: { by: B, input: {}, cells: [INACTIVE, INACTIVE, '→PAUSED', INACTIVE, INACTIVE, INACTIVE] },
  resume: { by: B, input: {}, cells: [REFUSED, REFUSED, REFUSED, '→ACTIVE', REFUSED, REFUSED] },
  postMessage: { by: B, input: { text: 'hm' }, cells: [INACTIVE, INACTIVE, '→ACTIVE', INACTIVE, INACTIVE, INACTIVE] },
  recordEmotion: {
    by: B,
    input: { intensity: 4 },
    cells: [INACTIVE, INACTIVE, '→ACTIVE', '→PAUSED', INACTIVE, INACTIVE],
  },
  resolve: { by: B, input: {}, cells: [INACTIVE, INACTIVE, '→RESOLVED', INACTIVE, INACTIVE, INACTIVE] },
  withdraw: { by: B, input: {}, cells: [...same('→ABANDONED').slice(0, 4), REFUSED, REFUSED] },
  archive: { by: B, input: {}, cells: [...same(REFUSED).slice(0, 4), '→RESOLVED', '→ABANDONED'] },
  unarchive: { by: B, input: {}, cells: [...same(REFUSED).slice(0, 4), '→RESOLVED', '→ABANDONED'] },
}

/** The timers of the same table: how long a dialogue stays in that state, and the cause that it is abandoned for. */
const TIMERS: {
  readonly [timer: string]: { readonly from: DialogueStatus; readonly ms: number; readonly cause: string }
} = {
  'creation-ttl': { from: 'CREATED', ms: 30 * DAY, cause: 'CREATION_EXPIRED' },
  'invite-expiry': { from: 'INVITED', ms: 7 * DAY, cause: 'INVITE_EXPIRED' },
  inactivity: { from: 'ACTIVE', ms: 90 * DAY, cause: 'INACTIVITY' },
  'pause-max': { from: 'PAUSED', ms: 30 * DAY, cause: 'PAUSE_EXPIRED' },
}

/** Every edge of domain.md §1.2, complete. */
const EDGES = [
  'CREATED→INVITED',
  'CREATED→ABANDONED',
  'INVITED→ACTIVE',
  'INVITED→ABANDONED',
  'ACTIVE→PAUSED',
  'PAUSED→ACTIVE',
  'ACTIVE→RESOLVED',
  'ACTIVE→ABANDONED',
  'PAUSED→ABANDONED',
]

/** Before the acceptance the creator is the one member. */
const issuerOf = (command: string, by: string, state: DialogueStatus): string =>
  (state === 'CREATED' || state === 'INVITED') && !command.endsWith('Invitation') ? A : by

function stored(world: World): { readonly status: string; readonly row: string } {
  const [[, row] = []] = world.harness.table('session', 'dialogues')
  return { status: row?.status ?? '', row: JSON.stringify(row) }
}

describe('domain.md §1.2 command × state', () => {
  const cells = Object.entries(CELLS).flatMap(([command, { by, input, cells: row }]) =>
    STATES.map((state, column) => ({ command, state, by, input, expected: row[column] ?? '' })),
  )

  test.each(cells)('$command × $state: $expected', ({ command, state, by, input, expected }) => {
    const world = new World()
    world.dialogueIn(state)
    if (command === 'resendInvitation' && state === 'INVITED') world.harness.advance(DAY)
    if (command === 'resolve' && state === 'ACTIVE') world.atTheEnd('AGREED')
    const before = stored(world)
    const named = 'invitationId' in input ? input : { sid: 'ses-1', ...input }
    const { code, value } = world.send(issuerOf(command, by, state), command, named as never)
    const after = stored(world)
    if (expected.startsWith('→')) {
      expect(code).toBe('ok')
      expect(`→${after.status}`).toBe(expected)
      const edge = `${state}→${after.status}`
      if (after.status !== state) expect(EDGES).toContain(edge)
      return
    }
    expect(code).toBe(expected)
    expect(after.row).toBe(before.row)
    if (expected === INACTIVE) expect(value).toEqual({ status: state })
    if (expected === REFUSED) expect(value).toMatchObject({ entity: 'session', from: state, event: command })
  })

  test('create: a new entity, CREATED, or INVITED with sendNow', () => {
    const world = new World()
    const input = { invitee: EMAIL, tokenSeed: SEED }
    expect(world.ok(A, 'create', input)).toMatchObject({
      session: { id: 'ses-1', status: 'CREATED' },
      invitationId: 'inv-1',
    })
    const other = { invitee: { kind: 'phone', ref: '+254712345678' }, tokenSeed: SEED, sendNow: true }
    expect(world.ok(A, 'create', other)).toMatchObject({
      session: { id: 'ses-2', status: 'INVITED' },
      invitationId: 'inv-2',
    })
  })

  test.each(['acceptInvitation', 'declineInvitation'])(
    '%s × ABANDONED for INVITE_EXPIRED: INVITATION_EXPIRED',
    (command) => {
      const world = new World()
      world.dialogueIn('ABANDONED', 'INVITE_EXPIRED')
      expect(world.send(B, command, { invitationId: 'inv-1', token: TOKEN }).code).toBe('INVITATION_EXPIRED')
    },
  )

  test.each(Object.entries(TIMERS))('timer %s leaves its state and no other', (timer, { from, ms, cause }) => {
    for (const state of STATES) {
      const world = new World()
      world.dialogueIn(state)
      const armed = world.harness.timers.filter(
        ({ machine, kind, key }) => machine === 'session' && kind === timer && key === 'ses-1',
      )
      expect(armed, state).toHaveLength(state === from ? 1 : 0)
      if (state !== from) continue
      world.harness.advance(ms - 1)
      expect(stored(world).status).toBe(from)
      world.harness.advance(1)
      expect(world.get(A)).toMatchObject({ status: 'ABANDONED', abandoned: { cause, by: null } })
    }
  })

  test('the edges are these nine, and no other', () => {
    const edges = DIALOGUE_TRANSITIONS.edges().map(({ from, to }) => `${from}→${to}`)
    expect([...new Set(edges)].sort()).toEqual([...EDGES].sort())
    expect(DIALOGUE_TRANSITIONS.terminal).toEqual(['RESOLVED', 'ABANDONED'])
  })

  test('every command and timer of the machine is in the table', () => {
    expect(Object.keys(session.commands).sort()).toEqual(['create', ...Object.keys(CELLS)].sort())
    expect(Object.keys(session.schema.timers).sort()).toEqual(['pause-reminder', ...Object.keys(TIMERS)].sort())
  })
})

describe('domain.md §1.2 issuer', () => {
  test.each(Object.keys(CELLS))('%s by somebody who is neither creator nor partner', (command) => {
    const world = new World()
    world.dialogueIn('ACTIVE')
    const { input } = CELLS[command] ?? { input: {} }
    const named = 'invitationId' in input ? { ...input, token: 'wrong' } : { sid: 'ses-1', ...input }
    expect(world.send('user:c', command, named as never).code).toBe('NOT_FOUND')
    expect(world.send('admin:ada', command, named as never).code).toBe('NOT_FOUND')
  })

  test.each(['invite', 'resendInvitation'])('%s by the partner', (command) => {
    const world = new World()
    world.dialogueIn('ACTIVE')
    expect(world.send(B, command, { sid: 'ses-1' }).code).toBe('FORBIDDEN')
  })

  test('create by an administrator or a worker', () => {
    const world = new World()
    expect(world.send('admin:ada', 'create', { invitee: EMAIL, tokenSeed: SEED }).code).toBe('FORBIDDEN')
  })
})
