export { counter, COUNTER_MAX } from './counter.ts'
export { BareCounter } from './counter-bare.ts'
export { register, REGISTER_BYTES_MAX } from './register.ts'
export * from './payments/index.ts'
