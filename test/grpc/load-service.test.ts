import { describe, expect, it, onTestFinished } from 'vitest'
import { loadServedService } from '../../src/grpc/load-service.ts'

/** protobufjs compiles by the global `Function`. */
function compilations(): () => number {
  const native = globalThis.Function
  let count = 0
  globalThis.Function = new Proxy(native, {
    apply: (target, self, parameters) => {
      count += 1
      return Reflect.apply(target, self, parameters)
    },
  })
  onTestFinished(() => {
    globalThis.Function = native
  })
  return () => count
}

const STATUS = { followers: [{ id: 'n2' }], machines: [{ name: 'register', active: 1 }] }

describe('loadServedService', () => {
  it('has compiled every message, so that the first call of a kind keeps no loop', () => {
    const compiled = compilations()
    const service = loadServedService('holdfast/v1/cluster.proto', 'holdfast.v1.ClusterService')
    const atLoad = compiled()
    expect(atLoad).toBeGreaterThan(10)
    for (const method of Object.values(service)) {
      method.requestDeserialize(Buffer.alloc(0))
      method.responseSerialize(STATUS)
    }
    expect(compiled() - atLoad).toBe(0)
  })

  it('says which service a file lacks', () => {
    expect(() => loadServedService('holdfast/v1/cluster.proto', 'holdfast.v1.Nothing')).toThrow(
      /proto file defines the service/,
    )
  })
})
