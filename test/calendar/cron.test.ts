import { describe, expect, test } from 'vitest'
import { readCron } from '../../src/calendar/cron.ts'

const fields = (text: string) => {
  const read = readCron(text)
  if (read.kind !== 'cron') throw new Error(`${read.column}: ${read.message}`)
  return read.cron
}

describe('what is read', () => {
  test('lists, ranges, steps and names, in any case', () => {
    expect(fields('0,30,10-12 8-17/4 1 JAN,mar Mon-Fri')).toEqual({
      minutes: [0, 10, 11, 12, 30],
      hours: [8, 12, 16],
      days: [1],
      months: [1, 3],
      weekdays: [1, 2, 3, 4, 5],
      dayRule: 'either',
      everyHour: false,
    })
  })

  test('several blanks and tabs are one', () => {
    expect(fields(' 0\t 0  * * * ')).toEqual(fields('0 0 * * *'))
  })

  test('a star with a step restricts its field, and is every hour all the same', () => {
    expect(fields('0 */6 */2 * 1')).toMatchObject({ hours: [0, 6, 12, 18], dayRule: 'either', everyHour: true })
    expect(fields('0 0 * * */2')).toMatchObject({ weekdays: [0, 2, 4, 6], dayRule: 'weekday' })
  })

  test('Sunday is 0 and 7, also at the end of a range', () => {
    expect(fields('0 0 * * 7').weekdays).toEqual([0])
    expect(fields('0 0 * * 5-7').weekdays).toEqual([0, 5, 6])
  })
})

test.each([
  ['', 1, 'minute is missing'],
  ['0 0 * *', 8, 'day of week is missing'],
  ['0 0 0 13 * 5', 12, 'leave out seconds'],
  ['@daily', 1, 'five fields'],
  ['60 0 * * *', 1, 'from 0 to 59'],
  ['0 24 * * *', 3, 'from 0 to 23'],
  ['0 0 0 * *', 5, 'from 1 to 31'],
  ['0 0 * 13 *', 7, 'jan, feb'],
  ['0 0 * * 5#3', 9, 'mean something else'],
  ['0 0 L * *', 5, 'mean something else'],
  ['0 0 15W * *', 5, 'mean something else'],
  ['0 0 ? * 1', 5, 'mean something else'],
  ['0 0 * * 1,8', 11, 'from 0 to 7'],
  ['0 0 * * fri-mon', 9, 'falls'],
  ['5/15 * * * *', 1, 'write 5-59/15'],
  ['*/0 * * * *', 1, 'from 1 to 99'],
  ['1-2-3 * * * *', 1, 'no value, range or step'],
  ['1, * * * *', 3, 'no value, range or step'],
  ['1.5 * * * *', 1, 'not understood'],
  ['0 0 31 feb,apr *', 5, 'never run'],
  ['0 '.repeat(200), 1, 'at most 256'],
])('%j is refused at column %i: %s', (text, column, message) => {
  const read = readCron(text)
  expect(read).toMatchObject({ kind: 'refused', column })
  expect(read.kind === 'refused' ? read.message : '').toContain(message)
})
