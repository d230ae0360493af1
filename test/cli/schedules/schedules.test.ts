import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { ClientSession } from '../../../src/client/index.ts'
import { changeSchedule, fetchSchedule, fetchSchedules } from '../../../src/client/operator/schedules.ts'
import { operatorNode } from '../sessions/operator-node.ts'
import { diary } from './diary.ts'

const { session, holdfast, node } = operatorNode([diary])
const MINUTE = 60_000
const DAILY = { cron: '30 6 * * *', zone: 'Europe/Berlin', open: false }
const MINUTELY = { cron: '* * * * *', zone: 'UTC', open: false }
let ada: ClientSession

const plan = (key: string, given: typeof DAILY) => ada.execute('diary', 'plan', { key, ...given })
const json = async (...words: string[]) => JSON.parse((await holdfast('schedules', ...words, '--json')).out)
const shown = (key: string, ...words: string[]) => json('show', 'diary', `note/${key}`, ...words)
/** The leader's duties compute what comes next, and why nothing does. */
const awaitedEnd = (key: string) =>
  vi.waitFor(async () => expect((await shown(key)).state).not.toBe('awaited'), { timeout: 20_000 })

beforeAll(async () => {
  ada = await session('user:ada')
  await plan('berlin', DAILY)
  await plan('lost', { ...DAILY, zone: 'Mars/Olympus' })
  await awaitedEnd('berlin')
  await awaitedEnd('lost')
})

describe('schedules list and show', () => {
  test('tell what comes next by the clock of its zone with its offset, and why one has stopped', async () => {
    const { schedules } = await json('list')
    expect(schedules).toMatchObject([
      {
        machine: 'diary',
        name: 'note/berlin',
        ...{ cron: DAILY.cron, zone: DAILY.zone },
        state: 'scheduled',
        stop: null,
      },
      { name: 'note/lost', state: 'stopped', stop: 'unknownZone', next: null, nextMs: null, last: null, runs: 0 },
    ])
    const [{ next, nextMs }] = schedules
    expect(next).toMatch(/^\d{4}-\d\d-\d\dT06:30:00\+0[12]:00$/)
    expect(Date.parse(next)).toBe(nextMs)
    const table = (await holdfast('schedules', 'list')).out
    expect(table).toMatch(/^machine +name +cron +zone +state +next /)
    expect(table).toContain(next)
    expect(table).toMatch(/note\/lost +30 6 \* \* \* +Mars\/Olympus +stopped: unknownZone +- /)
  })

  test('list those of one machine, at most as many as are wanted', async () => {
    expect((await json('list', '--machine', 'other')).schedules).toEqual([])
    expect((await json('list', '--machine', 'diary')).schedules).toHaveLength(2)
    const { out, err } = await holdfast('schedules', 'list', '--limit', '1', '-o', 'jsonl')
    expect(JSON.parse(out)).toMatchObject({ name: 'note/berlin' })
    expect(err).toContain('There are more than these 1')
  })

  test('show the occurrences to come, each once a day where the clock shows it', async () => {
    const { upcoming, revision, nowMs, overlap } = await shown('berlin', '--next', '400')
    expect(upcoming).toHaveLength(400)
    for (const { at, ms } of upcoming) {
      expect(at).toMatch(/T06:30:00\+0[12]:00$/)
      expect(Date.parse(at)).toBe(ms)
    }
    expect(new Set(upcoming.map(({ at }: { at: string }) => at.slice(0, 10))).size).toBe(400)
    expect(revision).toBeGreaterThan(0)
    expect(upcoming[0].ms).toBeGreaterThan(nowMs)
    expect(overlap).toBe('skip')
    const text = (await holdfast('schedules', 'show', 'diary', 'note/berlin', '--next', '2', '--payloads')).out
    expect(text).toContain('30 6 * * * in Europe/Berlin')
    expect(text).toMatch(/^payload +\{"open":false\}$/m)
    expect(text).toContain(`\nnext  ${upcoming[0].at}\n      ${upcoming[1].at}\n`)
    expect((await holdfast('schedules', 'show', 'diary', 'note/lost')).out).toMatch(
      /stopped, unknownZone: the leader's zone data does not have its zone/,
    )
  })

  test('know no schedule that there is not', async () => {
    expect(await holdfast('schedules', 'show', 'diary', 'note/none')).toMatchObject({
      code: 1,
      err: expect.stringContaining('SCHEDULE_UNKNOWN'),
    })
    for (const change of [['pause'], ['resume'], ['cancel'], ['end', '--run', '1']])
      expect(await holdfast('schedules', ...change, 'diary', 'note/none')).toMatchObject({ code: 4, out: '' })
  })
})

describe('schedules pause and resume', () => {
  test('hold a schedule up and let it go on; repeated they change nothing, and a dry run never does', async () => {
    await plan('p', DAILY)
    await awaitedEnd('p')
    const change = (...words: string[]) => holdfast('schedules', ...words)
    expect((await change('pause', 'diary', 'note/p', '--dry-run')).out).toBe(
      'diary note/p would be paused: nothing of it would run until it is resumed\n',
    )
    expect((await shown('p')).state).toBe('scheduled')
    expect(await change('pause', 'diary', 'note/p')).toMatchObject({ code: 0, out: 'diary note/p is paused\n' })
    expect(await shown('p')).toMatchObject({ state: 'paused', next: null, upcoming: [] })
    expect(await change('pause', 'diary', 'note/p')).toMatchObject({ code: 0, out: 'diary note/p is paused already\n' })
    expect(await json('pause', 'diary', 'note/p', '--dry-run')).toEqual({
      ...{ dryRun: true, change: 'pause', machine: 'diary', name: 'note/p', changes: false },
    })
    expect(await json('resume', 'diary', 'note/p')).toMatchObject({ change: 'resume', changed: true })
    await awaitedEnd('p')
    expect((await shown('p')).state).toBe('scheduled')
    expect((await change('resume', 'diary', 'note/p')).out).toBe('diary note/p goes on already\n')
  })

  test('ask once more for one that has stopped', async () => {
    const { revision } = await shown('lost')
    expect((await holdfast('schedules', 'resume', 'diary', 'note/lost', '--dry-run')).out).toContain('would go on')
    expect((await holdfast('schedules', 'resume', 'diary', 'note/lost')).out).toBe('diary note/lost goes on\n')
    await awaitedEnd('lost')
    const after = await shown('lost')
    expect(after).toMatchObject({ state: 'stopped', stop: 'unknownZone' })
    expect(after.revision).toBeGreaterThan(revision)
  })
})

describe('schedules backfill', () => {
  const past = (minutes: number) => new Date(Math.floor(Date.now() / MINUTE - minutes) * MINUTE).toISOString()

  test('says beforehand how often it would run, then runs that', async () => {
    await plan('f', { ...DAILY, cron: '* * * * *' })
    await awaitedEnd('f')
    const [from, to] = [past(9), past(4)]
    const range = ['--from', from, '--to', to]
    const trial = await json('backfill', 'diary', 'note/f', ...range, '--dry-run')
    expect(trial).toMatchObject({ dryRun: true, changes: true, fromMs: Date.parse(from), occurrences: { count: 5 } })
    expect((await holdfast('schedules', 'backfill', 'diary', 'note/f', ...range, '--dry-run')).out).toMatch(
      /would run 5 times \(the first for .*:00\+0[12]:00, the last for .*\) as well, from .* on and before /,
    )
    const before = (await shown('f')).runs
    expect((await holdfast('schedules', 'backfill', 'diary', 'note/f', ...range)).out).toMatch(/runs what comes from /)
    await vi.waitFor(async () => expect((await shown('f')).runs).toBeGreaterThanOrEqual(before + 5), {
      timeout: 20_000,
    })
    const { backfills, fillingMs, last } = await shown('f')
    expect([backfills, fillingMs]).toEqual([[], []])
    expect(last).toMatch(/\+0[12]:00$/)
  })

  test('sent twice by a client that lost the answer runs once', async () => {
    const endpoints = [node().address]
    await plan('twice', MINUTELY)
    expect((await holdfast('schedules', 'pause', 'diary', 'note/twice')).code).toBe(0)
    const named = { machine: 'diary', name: 'note/twice' }
    const { revision: basedOn } = await fetchSchedule(endpoints, { ...named, payloads: false })
    const wanted = { ...named, basedOn, change: 'backfill', fromMs: Date.now() - 5 * MINUTE, toMs: Date.now() } as const
    expect(await changeSchedule(endpoints, wanted)).toMatchObject({ changed: true })
    await expect(changeSchedule(endpoints, wanted)).rejects.toMatchObject({ code: 'SCHEDULE_CHANGED' })
    const { backfills } = await shown('twice')
    expect(backfills).toHaveLength(1)
    expect(backfills[0].fromMs).toBe(wanted.fromMs)
  })

  test('of what has not begun, or beyond 16 that wait, is refused with 4', async () => {
    const later = new Date(Date.now() + 3_600_000).toISOString()
    const refused = { code: 4, out: '', err: expect.stringContaining('BACKFILL_REFUSED') }
    for (const more of [[], ['--dry-run']])
      expect(await holdfast('schedules', 'backfill', 'diary', 'note/twice', '--from', later, ...more)).toMatchObject(
        refused,
      )
    for (let at = 1; at < 16; at += 1)
      expect((await holdfast('schedules', 'backfill', 'diary', 'note/twice', '--from', past(9))).out).toMatch(
        /runs what comes from .* as well, once it goes on\n$/,
      )
    const full = await holdfast('schedules', 'backfill', 'diary', 'note/twice', '--from', past(9))
    expect(full).toMatchObject(refused)
    expect(full.err).toContain('16 backfills are not done')
    expect((await holdfast('schedules', 'show', 'diary', 'note/twice')).out).toMatch(/backfills +from .*Z|\+00:00 to /)
    expect(await holdfast('schedules', 'backfill', 'diary', 'note/twice', '--from', '2026-11-01T00:00')).toMatchObject({
      code: 2,
    })
    expect(await holdfast('schedules', 'backfill', 'diary', 'note/twice')).toMatchObject({ code: 2 })
  })
})

test('what no schedule can have is refused as it is read', async () => {
  const from = ['backfill', 'diary', 'note/berlin', '--from', '2026-11-02']
  const wrong = [
    [...from, '--to', '2026-11-01', 'not after --from'],
    [...from, '--to', '2026-11-02', 'not after --from'],
    ['backfill', 'diary', 'note/berlin', '--from', '1969-12-31', 'before 1970'],
    ['show', 'diary', 'note/berlin', '--next', '10001', 'at most 10000'],
    ['show', 'diary', 'note/berlin', '--next', '-1', 'must not be negative'],
  ]
  for (const words of wrong) {
    const { code, err } = await holdfast('schedules', ...words.slice(0, -1))
    expect([code, err]).toEqual([2, expect.stringContaining(words.at(-1) ?? '')])
  }
  const backwards = {
    machine: 'diary',
    name: 'note/berlin',
    basedOn: 0,
    change: 'backfill',
    fromMs: 9,
    toMs: 3,
  } as const
  await expect(changeSchedule([node().address], backwards)).rejects.toMatchObject({
    code: 'BACKFILL_REFUSED',
    details: { problem: 'the end of the range is not after its beginning' },
  })
})

test('a command that is only tried tells what it would do to schedules', async () => {
  const input = JSON.stringify({ key: 'tried', ...DAILY })
  const send = ['machine', 'send', 'diary', 'plan', input, '--dry-run']
  expect((await holdfast(...send)).out).toMatch(
    /schedule +diary note\/tried +30 6 \* \* \* in Europe\/Berlin, awaited\n/,
  )
  expect(JSON.parse((await holdfast(...send, '--json')).out).schedules).toMatchObject([
    { machine: 'diary', name: 'note/tried', after: { cron: DAILY.cron, paused: false } },
  ])
  expect(await holdfast('schedules', 'show', 'diary', 'note/tried')).toMatchObject({ code: 1 })
})

test('the end of a run that was left open lets what waits for it run, and is told when the run is over already', async () => {
  await plan('e', { ...MINUTELY, open: true })
  await awaitedEnd('e')
  const from = new Date(Date.now() - 5 * MINUTE).toISOString()
  await holdfast('schedules', 'backfill', 'diary', 'note/e', '--from', from)
  const isOpen = (run: number) =>
    vi.waitFor(async () => expect((await shown('e')).open).toMatchObject([{ run }]), { timeout: 20_000 })
  await isOpen(1)
  const end = (run: number, ...more: string[]) =>
    holdfast('schedules', 'end', 'diary', 'note/e', '--run', `${run}`, ...more)
  expect(await end(1, '--dry-run')).toMatchObject({ code: 0, out: 'diary note/e would have that run no more\n' })
  expect(await end(7, '--dry-run')).toMatchObject({
    code: 0,
    out: 'diary note/e has no such run open: nothing would change\n',
  })
  expect(await end(1)).toMatchObject({ code: 0, out: 'diary note/e has that run no more\n' })
  await isOpen(2)
  expect(await end(1)).toMatchObject({ code: 0, out: 'diary note/e has no such run open\n' })
  expect(await json('end', 'diary', 'note/e', '--run', '2')).toMatchObject({ change: 'end', run: 2, changed: true })
  expect(await holdfast('schedules', 'end', 'diary', 'note/e')).toMatchObject({ code: 2 })
})

describe('schedules cancel', () => {
  test('removes it, once, and says beforehand what goes with it', async () => {
    await plan('c', { ...MINUTELY, open: true })
    await vi.waitFor(async () => expect((await shown('c')).state).toBe('scheduled'), { timeout: 20_000 })
    expect((await holdfast('schedules', 'backfill', 'diary', 'note/c', '--from', past5())).code).toBe(0)
    await vi.waitFor(async () => expect((await shown('c')).open).toHaveLength(1), { timeout: 20_000 })
    expect((await holdfast('schedules', 'cancel', 'diary', 'note/c', '--dry-run')).out).toMatch(
      /would be gone, with 1 open runs, \d+ occurrences that wait and 0 backfills not computed/,
    )
    expect((await holdfast('schedules', 'show', 'diary', 'note/c')).out).toMatch(/open +run 1 of .*\+00:00/)
    expect(await json('cancel', 'diary', 'note/c')).toMatchObject({ change: 'cancel', changed: true })
    expect(await holdfast('schedules', 'cancel', 'diary', 'note/c')).toMatchObject({
      code: 4,
      err: expect.stringContaining('SCHEDULE_UNKNOWN'),
    })
  })

  const past5 = () => new Date(Date.now() - 5 * MINUTE).toISOString()

  test('leaves one that was put again since it was looked at', async () => {
    const endpoints = [node().address]
    await plan('again', DAILY)
    const named = { machine: 'diary', name: 'note/again' }
    const { revision: basedOn } = await fetchSchedule(endpoints, { ...named, payloads: false })
    await plan('again', MINUTELY)
    await expect(changeSchedule(endpoints, { ...named, basedOn, change: 'cancel' })).rejects.toMatchObject({
      code: 'SCHEDULE_CHANGED',
    })
    expect(await fetchSchedule(endpoints, { ...named, payloads: true })).toMatchObject({ payload: { open: false } })
  })
})

test('more schedules than a page has are told in their order', async () => {
  await ada.execute('diary', 'many', 1100)
  const { schedules, more } = await fetchSchedules([node().address], { limit: 2000 })
  const names = schedules.map(({ name }) => name)
  expect([names.length >= 1100, more, new Set(names).size]).toEqual([true, false, names.length])
  expect(names).toEqual([...names].sort())
  await expect(fetchSchedules([node().address], { limit: 1, machine: 'x'.repeat(2000) })).rejects.toMatchObject({
    code: 'INVALID',
  })
})
