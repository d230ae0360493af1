/** What the secret in the path of callbacks may be, for whoever is told that his is not. */
export const WEBHOOK_SECRET_FORM = 'must be 16 to 128 of A-Z a-z 0-9 _ -'

/** True for a secret that stands in a path as it is, and that nobody guesses. */
export function isWebhookSecret(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{16,128}$/.test(value)
}
