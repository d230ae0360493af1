import { describe, expect, test } from 'vitest'
import { validateTransition } from '../../src/http/validate-transition.ts'

async function validate(entity: string, body: unknown) {
  const path = `/validate/${entity}`
  expect(validateTransition.matches(path)).toBe(true)
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return validateTransition.post(path, Buffer.from(text), new AbortController().signal)
}

describe('POST /validate', () => {
  test.each([
    ['payment', 'initiated', 'confirmed'],
    ['session', 'paid', 'forms_required'],
    ['video', 'failed', 'waiting_for_participants'],
  ])('%s %s→%s is allowed', async (entity, from, to) => {
    expect(await validate(entity, { from, to })).toMatchObject({ status: 200, body: { valid: true, entity, from, to } })
  })

  test.each([
    ['payment', 'pending', 'confirmed', ['initiated', 'cancelled'], undefined],
    ['payment', 'confirmed', 'pending', ['refunded'], 'RETROACTIVE_CHANGE'],
    ['payment', 'refunded', 'refunded', [], undefined],
    ['session', 'requested', 'ready', ['approved', 'cancelled'], 'PAYMENT_REQUIRED'],
    ['session', 'completed', 'payment_pending', [], 'RETROACTIVE_PAYMENT'],
    ['video', 'ended', 'active', [], undefined],
  ])('%s %s→%s is answered as the founding document says', async (entity, from, to, allowed, forbidden) => {
    const { status, type, body } = await validate(entity, { from, to })
    expect([status, type]).toEqual([400, 'application/problem+json'])
    expect(body).toMatchObject({
      title: 'Bad Request',
      status: 400,
      error: 'Invalid state transition',
      code: 'INVALID_STATE_TRANSITION',
      message: expect.stringContaining(`${entity} cannot go from ${from} to ${to}`),
      allowed,
    })
    expect('forbidden' in body ? body.forbidden : undefined).toBe(forbidden)
  })

  test('names that are no states are refused as such', async () => {
    for (const from of ['paid', 'constructor', 'PENDING']) {
      expect(await validate('payment', { from, to: 'confirmed' })).toMatchObject({
        status: 400,
        body: { code: 'VALIDATION_ERROR' },
      })
    }
  })

  test.each([
    ['', 'body'],
    ['{', 'body'],
    ['null', 'body'],
    ['7', 'body'],
    ['[]', 'from'],
    ['{}', 'from'],
    ['{"from":7,"to":"paid"}', 'from'],
    ['{"from":"","to":"paid"}', 'from'],
    ['{"from":"paid"}', 'to'],
    ['{"from":"paid","to":null}', 'to'],
    [`{"from":"paid","to":"${'x'.repeat(65)}"}`, 'to'],
    ['{"from":"paid","to":"<b>"}', 'to'],
  ])('the body %j is refused for its %s', async (body, field) => {
    expect(await validate('session', body)).toMatchObject({ status: 400, body: { code: 'BODY_MALFORMED', field } })
  })

  test('there is no such path for anything else', () => {
    for (const path of ['/validate', '/validate/', '/validate/gates', '/validate/payment/', '/validate/toString']) {
      expect([path, validateTransition.matches(path)]).toEqual([path, false])
    }
  })
})
