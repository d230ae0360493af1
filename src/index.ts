/** `holdfast`: the client, the authoring kit and the three-function interface under it. */
export {
  type ClientSession,
  type CommandOutcome,
  connect,
  ConnectError,
  type ConnectOptions,
  InvalidArgument,
} from './client/index.ts'
export { sessionCodec } from './codec/session-codec.ts'
export type { Value } from './codec/value/value.ts'
export * from './machine/index.ts'
export { SessionStateMachine } from './session/session-state-machine.ts'
export type { MachineContext, UserStateMachine } from './session/user-machine.ts'
export type { StateMachine } from './session/state-machine.ts'
