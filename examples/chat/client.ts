// Two people in a room, one of whom goes: HOLDFAST_ENDPOINTS names the nodes.
import { connect } from 'holdfast'
import { chat } from './chat.ts'

const endpoints = (process.env['HOLDFAST_ENDPOINTS'] ?? '127.0.0.1:4600').split(',')
const ada = await connect({ endpoints, principal: 'user:ada', machines: [chat] })
const grace = await connect({ endpoints, principal: 'user:grace', machines: [chat] })

// Typed by the machine: a type that it does not send does not compile.
ada.on('chat.said', ({ payload }) => console.log(`${payload.from}: ${payload.text}`))
grace.on('*', () => undefined)
const gone = new Promise<string>((resolve) => {
  ada.on('chat.presence', ({ payload }) => {
    if (!payload.present) resolve(payload.name)
  })
})

await ada.machines.chat.join({ room: 'tea', name: 'Ada' })
await grace.machines.chat.join({ room: 'tea', name: 'Grace' })
await grace.machines.chat.say({ room: 'tea', text: 'Hello, and good-bye' })
await grace.close()
console.log(`${await gone} has left`)
const present = await ada.queries.chat.present('tea')
if (present.kind === 'ok') console.log(JSON.stringify(present.value))
await ada.close()
