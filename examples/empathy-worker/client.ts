// Does the tasks of the role analysis until Ctrl-C; with --play two people give it some, and it ends with them.
// HOLDFAST_ENDPOINTS names the nodes; ANALYST_URL, ANALYST_MODEL and ANALYST_KEY the model.
import { randomUUID } from 'node:crypto'
import { connect } from 'holdfast'
import { gates, reconciler } from 'holdfast/machines'
import { AnalystRefusal, taskHandlers } from './analyst.ts'
import { analystFrom } from './http-analyst.ts'
import { DIALOGUE_MACHINES, meet } from './people.ts'

const analyst = analystFrom(process.env)
const endpoints = (process.env['HOLDFAST_ENDPOINTS'] ?? '127.0.0.1:4600').split(',')
const session = await connect({
  endpoints,
  principal: 'worker:analyst',
  roles: ['analysis'],
  machines: [gates, reconciler],
  onSessionLost: (reason) => {
    console.error(`the session is lost: ${reason}`)
    process.exit(1)
  },
})
const worker = session.worker(taskHandlers(analyst), {
  onProblem: ({ taskId, attempt, code, error }) =>
    console.error(`${taskId}, attempt ${attempt}: ${code} ${error instanceof AnalystRefusal ? error.message : ''}`),
})
const stop = async () => {
  await worker.stop()
  await session.close()
}
process.once('SIGINT', stop)
console.log('waits for analyses')

if (process.argv.includes('--play')) {
  const person = (name: string) =>
    connect({ endpoints, principal: `user:${name}-${randomUUID()}`, machines: DIALOGUE_MACHINES })
  const [ann, ben] = await Promise.all([person('ann'), person('ben')])
  await meet([ann, ben], (topic) => console.log(topic))
  await Promise.all([ann.close(), ben.close()])
  await stop()
}
