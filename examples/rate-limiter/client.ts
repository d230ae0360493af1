// Twelve calls at once, of which ten may pass: HOLDFAST_ENDPOINTS names the nodes.
import { connect } from 'holdfast'
import { rateLimiter, TOKENS_MAX } from './rate-limiter.ts'

const endpoints = (process.env['HOLDFAST_ENDPOINTS'] ?? '127.0.0.1:4600').split(',')
const session = await connect({ endpoints, principal: 'svc:gate', machines: [rateLimiter] })
const { take } = session.machines['rate-limiter']

const all = await take({ key: 'user:ada', tokens: TOKENS_MAX })
if (all.kind === 'ok') console.log(`${all.value.left} left`)
const refused = await take({ key: 'user:ada', tokens: TOKENS_MAX })
if (refused.kind === 'rejected' && refused.code === 'LIMITED') {
  console.log('limited')
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, refused.details.retryAt - Date.now())))
  // The log's time may be a little behind this clock: whoever is refused again waits again.
  for (;;) {
    const again = await take({ key: 'user:ada', tokens: TOKENS_MAX })
    if (again.kind !== 'rejected' || again.code !== 'LIMITED') break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  console.log('passed')
}
await session.close()
